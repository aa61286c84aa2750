# Filled by the packaging work: install rules and tesseraConfig.cmake.
