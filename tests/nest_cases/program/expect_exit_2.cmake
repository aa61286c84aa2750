# A folder that is not a case ends nest_case with exit code 2 and a sentence.
execute_process(COMMAND ${PROGRAM} ${FOLDER} RESULT_VARIABLE code ERROR_VARIABLE sentence)
if(NOT code EQUAL 2 OR NOT sentence MATCHES "cannot be opened")
  message(FATAL_ERROR "exit code ${code}, message '${sentence}'")
endif()
