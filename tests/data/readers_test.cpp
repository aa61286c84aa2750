// Readers of file formats: bytes in the published layouts give the events that were written,
// damaged ones a sentence with file and offset.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include "data/readers.hpp"

#include <zlib.h>

#include "data/file_tree.hpp"
#include "files.hpp"
#include "support/temporary_folder.hpp"

namespace tessera::training {
namespace {

// ----------------------------------------------------------------------------------------- IDX

std::string images(std::uint32_t count) {
  std::string bytes = big(0x803) + big(count) + big(28) + big(28);
  for (std::uint32_t i = 0; i < count * 784; ++i) bytes += static_cast<char>(i % 251);
  return bytes;
}
std::string labels(const std::string& values) {
  return big(0x801) + big(static_cast<std::uint32_t>(values.size())) + values;
}

void write_gzip(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  gzFile out = gzopen(file.c_str(), "wb");
  gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(out);
}

TEST(Idx, reads_images_and_labels_compressed_or_not) {
  for (const bool compressed : {false, true}) {
    const TemporaryFolder folder;
    const std::string end = compressed ? ".gz" : "";
    const auto write = compressed ? write_gzip : write_bytes;
    write(folder / ("mnist/train-images-idx3-ubyte" + end), images(3));
    write(folder / ("mnist/train-labels-idx1-ubyte" + end), labels({5, 0, 9}));
    const auto source = open_mnist({folder / "mnist"}, Split::train);
    ASSERT_EQ(source->size(), 3u);
    EXPECT_EQ(source->label(2), 9);
    std::vector<float> values;
    source->read(1, values);
    ASSERT_EQ(values.size(), 784u);
    EXPECT_FLOAT_EQ(values[0], static_cast<float>(784 % 251) / 255.0f);
    EXPECT_FLOAT_EQ(values[783], static_cast<float>((2 * 784 - 1) % 251) / 255.0f);
  }
}

TEST(Idx, names_file_and_offset_of_damage) {
  EXPECT_EQ(
      refusal([] { (void)parse_idx(big(0x802) + big(1), "a"); }),
      "a is damaged at byte 0: the magic number is 0x00000802 instead of 0x00000801 (labels) or "
      "0x00000803 (images).");
  EXPECT_EQ(refusal([] { (void)parse_idx(big(0x801) + big(3) + "ab", "a"); }),
            "a is damaged at byte 8: the file ends inside the values (3 bytes are announced, 2 are "
            "left).");
  EXPECT_EQ(refusal([] { (void)parse_idx(big(0x801).substr(0, 3), "a"); }),
            "a is damaged at byte 0: the file ends inside the header (4 bytes are announced, 3 are "
            "left).");
  EXPECT_TRUE(contains(refusal([] { (void)parse_idx(labels({1}) + "x", "a"); }),
                       "at byte 9: 1 bytes follow"));
  // 2^32 - 1 cubed does not wrap around to something small.
  EXPECT_TRUE(
      contains(refusal([] { (void)parse_idx(big(0x803) + big(~0u) + big(~0u) + big(~0u), "a"); }),
               "the announced size is too large"));
}

TEST(Idx, refuses_files_that_do_not_belong_together) {
  const TemporaryFolder folder;
  write_bytes(folder / "train-images-idx3-ubyte", images(2));
  write_bytes(folder / "train-labels-idx1-ubyte", labels({1, 2, 3}));
  EXPECT_TRUE(contains(refusal([&] { (void)open_mnist({folder.path()}, Split::train); }),
                       "train-images-idx3-ubyte holds 2 images, but"));
  write_bytes(folder / "train-labels-idx1-ubyte", labels({1, 10}));
  EXPECT_TRUE(contains(refusal([&] { (void)open_mnist({folder.path()}, Split::train); }),
                       "at byte 9: label 10 is not a digit"));
}

TEST(Idx, notices_compressed_data_that_ends_early) {
  const TemporaryFolder folder;
  write_gzip(folder / "train-images-idx3-ubyte.gz", images(20));
  write_gzip(folder / "train-labels-idx1-ubyte.gz", labels(std::string(20, 1)));
  const auto file = folder / "train-images-idx3-ubyte.gz";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 20);
  const std::string text = refusal([&] { (void)open_mnist({folder.path()}, Split::train); });
  EXPECT_TRUE(contains(text, "train-images-idx3-ubyte.gz is damaged at byte"));
  EXPECT_TRUE(contains(text, "the compressed data ends early"));
}

TEST(Idx, reads_the_published_files) {
  TESSERA_NEED_REAL_DATA("mnist");
  const auto training = open_mnist({real_data() / "mnist"}, Split::train);
  EXPECT_EQ(training->size(), 60'000u);
  EXPECT_EQ(training->label(0), 5);  // the first digits of the set are 5, 0, 4, 1, 9
  EXPECT_EQ(training->label(4), 9);
  EXPECT_EQ(open_mnist({real_data() / "mnist"}, Split::test)->size(), 10'000u);
}

// ------------------------------------------------------------------------------------- N-MNIST

// x, y, then polarity in bit 7 and 23 bits of time (Orchard et al. 2015).
std::string event(int x, int y, int polarity, std::uint32_t time) {
  return {static_cast<char>(x), static_cast<char>(y),
          static_cast<char>(polarity << 7 | static_cast<int>(time >> 16)),
          static_cast<char>(time >> 8), static_cast<char>(time)};
}

TEST(Nmnist, decodes_events_and_time_overflows) {
  Events events;
  parse_nmnist(event(3, 5, 1, 1000) + event(0, 240, 0, 0) + event(33, 33, 0, 0x7fffff), "a",
               events);
  EXPECT_EQ(events.time_us, (std::vector<std::uint32_t>{1000, 0x7fffff + 8192}));
  EXPECT_EQ(events.address, (std::vector<std::uint32_t>{(5 * 34 + 3) * 2 + 1, (33 * 34 + 33) * 2}));
}

TEST(Nmnist, names_file_and_offset_of_damage) {
  Events events;
  EXPECT_EQ(refusal([&] { parse_nmnist(event(1, 1, 0, 1) + "abc", "x.bin", events); }),
            "x.bin is damaged at byte 5: the file ends inside an event of five bytes.");
  EXPECT_EQ(refusal([&] { parse_nmnist(event(1, 1, 0, 1) + event(34, 1, 0, 1), "x.bin", events); }),
            "x.bin is damaged at byte 5: an event at (34, 1) is outside 34 x 34 pixels.");
}

TEST(Nmnist, finds_samples_in_folders_of_digits) {
  const TemporaryFolder folder;
  write_bytes(folder / "Train/7/00001.bin", event(1, 2, 0, 10));
  write_bytes(folder / "Train/0/00002.bin", event(3, 4, 1, 20));
  write_bytes(folder / "Test/1/00001.bin", "");
  const auto source = open_nmnist({folder.path()}, Split::train);
  ASSERT_EQ(source->size(), 2u);
  EXPECT_EQ(source->label(0), 0);
  EXPECT_EQ(source->label(1), 7);
  Events events;
  source->read(1, events);
  EXPECT_EQ(events.time_us, std::vector<std::uint32_t>{10});
  EXPECT_EQ(open_nmnist({folder.path()}, Split::test)->size(), 1u);
}

TEST(Nmnist, finds_samples_in_the_small_set) {
  const TemporaryFolder folder;
  write_bytes(folder / "NMNISTsmall/train1K.txt", "#sample #class\n2\t5\n1\t0\n");
  write_bytes(folder / "NMNISTsmall/test100.txt", "#sample #class\n3\t9\n");
  write_bytes(folder / "NMNISTsmall/1.bs2", event(1, 1, 0, 11));
  write_bytes(folder / "NMNISTsmall/2.bs2", event(1, 1, 0, 22));
  const auto source = open_nmnist({folder.path()}, Split::train);
  ASSERT_EQ(source->size(), 2u);
  EXPECT_EQ(source->label(0), 5);
  Events events;
  source->read(0, events);
  EXPECT_EQ(events.time_us, std::vector<std::uint32_t>{22});
  EXPECT_TRUE(contains(refusal([&] { (void)open_nmnist({folder.path()}, Split::test); }),
                       "names sample 3, but there is no file 3.bs2"));
  write_bytes(folder / "NMNISTsmall/test100.txt", "#sample #class\n1 12\n");
  EXPECT_TRUE(contains(refusal([&] { (void)open_nmnist({folder.path()}, Split::test); }),
                       "test100.txt is damaged at byte 15: a line is not '<sample> <digit>'"));
}

TEST(Nmnist, reads_the_published_small_set_from_its_archive) {
  TESSERA_NEED_REAL_DATA("nmnist");
  const auto source = open_nmnist({real_data() / "nmnist"}, Split::train);
  ASSERT_EQ(source->size(), 1000u);
  EXPECT_EQ(open_nmnist({real_data() / "nmnist"}, Split::test)->size(), 100u);
  // The recordings are of the digits of MNIST in its order: 5, 0, 4, 1, 9.
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(source->label(static_cast<std::size_t>(i)), (std::array{5, 0, 4, 1, 9}[i]));
  }
  Events events;
  std::uint64_t total = 0;
  std::uint32_t last = 0;
  for (std::size_t i = 0; i < source->size(); ++i) {
    source->read(i, events);
    total += events.size();
    last = std::max(last, *std::max_element(events.time_us.begin(), events.time_us.end()));
  }
  EXPECT_GT(total, 4'000'000u);  // 4.5 million in all, with the test recordings
  EXPECT_LT(total, 4'500'000u);
  EXPECT_GT(last, 300'000u);  // three saccades of about 105 ms
  EXPECT_LT(last, 400'000u);
}

// --------------------------------------------------------------------------------- DVS Gesture

TEST(Aedat, decodes_events_of_a_window) {
  const std::string bytes = kAedatHeader + aedat_packet({{1, 2, 1, 99}, {3, 4, 0, 100}}) +
                            aedat_packet({{0, 0, 0, 0}}, 0) +
                            aedat_packet({{127, 126, 1, 150}, {5, 5, 0, 200}});
  Events events;
  parse_aedat(bytes, "a.aedat", 100, 200, events);
  EXPECT_EQ(events.time_us, (std::vector<std::uint32_t>{0, 50}));
  EXPECT_EQ(events.address,
            (std::vector<std::uint32_t>{(4 * 128 + 3) * 2, (126 * 128 + 127) * 2 + 1}));
}

TEST(Aedat, leaves_out_what_the_camera_marked_as_invalid) {
  std::string packet = aedat_packet({{1, 2, 1, 5}, {3, 4, 0, 6}, {7, 8, 1, 20}});
  const std::size_t header = 28;
  for (const std::size_t event : {0, 2}) packet[header + 8 * event] &= ~1;  // bit 0: valid
  Events events;
  // The third one lies outside the window and is nobody's loss.
  EXPECT_EQ(parse_aedat(kAedatHeader + packet, "a.aedat", 0, 10, events), 1u);
  EXPECT_EQ(events.time_us, std::vector<std::uint32_t>{6});
}

TEST(Aedat, names_file_and_offset_of_damage) {
  Events events;
  const std::string whole = kAedatHeader + aedat_packet({{1, 2, 1, 5}, {3, 4, 0, 6}});
  const std::size_t h = kAedatHeader.size();
  EXPECT_TRUE(contains(refusal([&] { parse_aedat("#!AER-DAT2.0\n", "a", 0, 10, events); }),
                       "a is damaged at byte 0: it does not begin with"));
  EXPECT_TRUE(contains(refusal([&] { parse_aedat(whole.substr(0, h + 20), "a", 0, 10, events); }),
                       "the file ends inside a packet header"));
  EXPECT_EQ(refusal([&] { parse_aedat(whole.substr(0, h + 40), "a", 0, 10, events); }),
            "a is damaged at byte " + std::to_string(h + 28) +
                ": the file ends inside a packet of events (16 bytes are announced, 12 are left).");
  EXPECT_EQ(refusal([&] {
              parse_aedat(kAedatHeader + aedat_packet({{1, 1, 0, 1}, {128, 0, 0, 2}}), "a", 0, 10,
                          events);
            }),
            "a is damaged at byte " + std::to_string(h + 36) +
                ": an event at (128, 0) is outside 128 x 128 pixels.");
  std::string wide = whole;
  wide[h + 4] = 0;
  EXPECT_TRUE(
      contains(refusal([&] { parse_aedat(wide, "a", 0, 10, events); }), "events of 0 bytes"));
}

TEST(GestureLabels, reads_the_table) {
  const auto rows =
      parse_gesture_labels("class,startTime_usec,endTime_usec\n2,100,200\n11,300,400\n", "l");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].label, 1);
  EXPECT_EQ(rows[1].label, 10);
  EXPECT_EQ(rows[1].start_us, 300u);
  EXPECT_EQ(rows[1].end_us, 400u);
  EXPECT_TRUE(contains(refusal([] { (void)parse_gesture_labels("c,s,e\n12,1,2\n", "l.csv"); }),
                       "l.csv is damaged at byte 6: line 2"));
  EXPECT_NE(refusal([] { (void)parse_gesture_labels("c,s,e\n1,5,2\n", "l"); }), "");
  EXPECT_NE(refusal([] { (void)parse_gesture_labels("c,s,e\n1,5\n", "l"); }), "");
}

TEST(DvsGesture, finds_the_trials_of_the_lists) {
  const TemporaryFolder folder;
  const auto inner = folder / "DvsGesture";
  write_bytes(inner / "trials_to_train.txt", "user01_led.aedat\nuser02_led.aedat\n");
  write_bytes(inner / "trials_to_test.txt", "../secret.aedat\n");
  for (const char* user : {"user01_led", "user02_led"}) {
    write_bytes(inner / (std::string(user) + ".aedat"),
                kAedatHeader + aedat_packet({{1, 2, 1, 150}, {3, 4, 0, 350}}));
    write_bytes(inner / (std::string(user) + "_labels.csv"), "class,s,e\n1,100,200\n3,300,400\n");
  }
  const auto source = open_dvs_gesture({folder.path()}, Split::train);
  ASSERT_EQ(source->size(), 4u);
  EXPECT_EQ(source->label(1), 2);
  Events events;
  source->read(1, events);
  EXPECT_EQ(events.time_us, std::vector<std::uint32_t>{50});
  EXPECT_TRUE(contains(refusal([&] { (void)open_dvs_gesture({folder.path()}, Split::test); }),
                       "'../secret.aedat' is not the name of an .aedat file"));
}

// Bit 0 of an event says that it is valid. Reading a sample twice does not count it twice.
TEST(DvsGesture, counts_the_invalid_events_of_what_was_read) {
  const TemporaryFolder folder;
  std::string packet = aedat_packet({{1, 2, 1, 150}, {3, 4, 0, 160}, {5, 6, 0, 350}});
  for (const std::size_t event : {0, 2}) packet[28 + 8 * event] &= ~1;
  write_bytes(folder / "trials_to_train.txt", "user01_led.aedat\n");
  write_bytes(folder / "user01_led.aedat", kAedatHeader + packet);
  write_bytes(folder / "user01_led_labels.csv", "class,s,e\n1,100,200\n3,300,400\n");
  const auto source = open_dvs_gesture({folder.path()}, Split::train);
  EXPECT_TRUE(source->notes().empty());
  Events events;
  for (const std::size_t index : {0, 0, 1}) source->read(index, events);
  EXPECT_EQ(source->notes(),
            std::vector<std::string>{
                "2 events of 2 samples were left out: the camera marked them as invalid."});
}

// Version 1.0 of NumPy's format (NEP 1), as np.save writes it.
std::string npy(const std::vector<std::array<double, 4>>& rows) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" +
                       std::to_string(rows.size()) + ", 4), }";
  header.resize(118, ' ');
  header[117] = '\n';
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + little(118, 2) + header;
  for (const auto& row : rows) bytes.append(reinterpret_cast<const char*>(row.data()), 32);
  return bytes;
}

TEST(DvsGesture, reads_recordings_cut_to_one_gesture) {
  const TemporaryFolder folder;
  write_bytes(folder / "ibmGestureTrain/user01_led/10.npy", npy({{3, 4, 1, 2.5}, {127, 0, 0, 7}}));
  const auto source = open_dvs_gesture({folder.path()}, Split::train);
  ASSERT_EQ(source->size(), 1u);
  EXPECT_EQ(source->label(0), 10);
  Events events;
  source->read(0, events);
  EXPECT_EQ(events.time_us, (std::vector<std::uint32_t>{2500, 7000}));
  EXPECT_EQ(events.address, (std::vector<std::uint32_t>{(4 * 128 + 3) * 2 + 1, 127 * 2}));
  write_bytes(folder / "ibmGestureTrain/user01_led/10.npy", npy({{3, 4, 1, 2.5}, {128, 0, 0, 7}}));
  EXPECT_TRUE(contains(refusal([&] { source->read(0, events); }),
                       "10.npy: row 1 is not an event of a 128 x 128 camera"));
  write_bytes(folder / "ibmGestureTrain/user01_led/11.npy", npy({}));
  EXPECT_TRUE(contains(refusal([&] { (void)open_dvs_gesture({folder.path()}, Split::train); }),
                       "the file name is not a label from 0 to 10"));
}

// ----------------------------------------------------------------------------------------- wav

std::string chunk(const std::string& id, const std::string& body) {
  return id + little(static_cast<std::uint32_t>(body.size())) + body +
         std::string(body.size() % 2, 0);
}
std::string format(std::uint32_t channels, std::uint32_t rate, std::uint32_t bits = 16,
                   std::uint32_t code = 1) {
  return chunk("fmt ", little(code, 2) + little(channels, 2) + little(rate) +
                           little(rate * channels * 2) + little(channels * 2, 2) + little(bits, 2));
}
std::string riff(const std::string& chunks) {
  return "RIFF" + little(static_cast<std::uint32_t>(chunks.size() + 4)) + "WAVE" + chunks;
}

TEST(Wav, reads_mono_and_stereo) {
  const Sound mono =
      parse_wav(riff(format(1, 8000) + chunk("data", little(0x4000, 2) + little(0x8000, 2))), "a");
  EXPECT_EQ(mono.rate_hz, 8000.0);
  EXPECT_EQ(mono.samples, (std::vector<float>{0.5f, -1.0f}));
  const Sound stereo = parse_wav(riff(format(2, 44100) + chunk("LIST", "abc") +
                                      chunk("data", little(0x4000, 2) + little(0, 2))),
                                 "a");
  EXPECT_EQ(stereo.samples, std::vector<float>{0.25f});
}

// Who writes into a pipe cannot know the length: 0 (arecord, ffmpeg's RIFF), all ones (ffmpeg), or
// a number near 2 GB (sox) stand for "to the end".
TEST(Wav, reads_streamed_sound_to_the_end) {
  const std::string sound = little(0x4000, 2) + little(0x8000, 2) + little(0x2000, 2);
  for (const std::uint32_t size : {0u, 0x7ffff000u, 0x80000000u, 0xffffffffu}) {
    const Sound read =
        parse_wav(riff(format(1, 8000) + "data" + little(size) + sound), "streamed.wav");
    EXPECT_EQ(read.samples, (std::vector<float>{0.5f, -1.0f, 0.25f})) << size;
  }
}

TEST(Wav, refuses_sound_that_is_empty) {
  for (const std::string& data : {std::string(), std::string("a")}) {
    EXPECT_TRUE(contains(
        refusal([&] { (void)parse_wav(riff(format(1, 8000) + chunk("data", data)), "a.wav"); }),
        "a.wav is damaged at byte 44: it holds no sound"));
  }
  // The title after an empty sound is no sound.
  const std::string titled = riff(format(1, 8000) + chunk("data", "") + chunk("LIST", "INFO"));
  EXPECT_TRUE(contains(refusal([&] { (void)parse_wav(titled, "a.wav"); }), "it holds no sound"));
}

TEST(Wav, names_file_and_offset_of_damage) {
  const std::string whole = riff(format(1, 8000) + chunk("data", little(1, 2) + little(2, 2)));
  EXPECT_EQ(refusal([&] { (void)parse_wav("RIFX" + whole.substr(4), "a.wav"); }),
            "a.wav is damaged at byte 0: it is not a RIFF file.");
  EXPECT_EQ(refusal([&] { (void)parse_wav(whole.substr(0, whole.size() - 1), "a.wav"); }),
            "a.wav is damaged at byte 44: the file ends inside a chunk (4 bytes are announced, 3 "
            "are left).");
  EXPECT_EQ(refusal([&] { (void)parse_wav(whole.substr(0, 36), "a.wav"); }),
            "a.wav is damaged at byte 36: there is no chunk 'data'.");
  EXPECT_TRUE(contains(refusal([&] { (void)parse_wav(riff(chunk("data", "ab")), "a"); }),
                       "the sound comes before its format"));
  EXPECT_TRUE(contains(refusal([&] { (void)parse_wav(riff(format(1, 8000, 24)), "a"); }),
                       "sound of 24 bits in coding 1 cannot be read, only 16-bit PCM"));
  EXPECT_TRUE(
      contains(refusal([&] { (void)parse_wav(riff(format(0, 8000)), "a"); }), "0 channels"));
  EXPECT_TRUE(
      contains(refusal([&] { (void)parse_wav(riff(format(1, 10)), "a"); }), "rate of 10 Hz"));
}

// ----------------------------------------------------------------------------------------- tar

std::string tar_entry(const std::string& name, const std::string& body) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(100, 8, std::string("0000644\0", 8));
  char size[13];
  std::snprintf(size, sizeof size, "%011zo", body.size());
  header.replace(124, 11, size);
  header[156] = '0';
  header.replace(257, 8, std::string("ustar\00000", 8));
  unsigned sum = 8 * ' ';
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  header.replace(148, 8, std::string(checksum, 6) + std::string("\0 ", 2));
  return header + body + std::string((512 - body.size() % 512) % 512, '\0');
}

TEST(Tar, gives_matching_files_sorted) {
  const TemporaryFolder folder;
  const std::string bytes = tar_entry("b/2.wav", "two") + tar_entry("readme.txt", "no") +
                            tar_entry("b/1.WAV", std::string(600, 'x')) + std::string(1024, '\0');
  for (const bool compressed : {false, true}) {
    const auto file = folder / "a.tar";
    (compressed ? write_gzip : write_bytes)(file, bytes);
    const auto tree = open_tar(file, {".wav"});
    ASSERT_EQ(tree->names(), (std::vector<std::string>{"b/1.WAV", "b/2.wav"}));
    EXPECT_EQ(tree->read(0), std::string(600, 'x'));
    EXPECT_EQ(tree->read(1), "two");
    EXPECT_EQ(tree->find("b/2.wav"), 1u);
    EXPECT_EQ(tree->find("b/3.wav"), 2u);
    EXPECT_EQ(tree->describe(1), file.string() + ":b/2.wav");
  }
}

TEST(Tar, names_file_and_offset_of_damage) {
  const TemporaryFolder folder;
  const auto file = folder / "a.tar";
  const std::string whole = tar_entry("1.wav", "one") + tar_entry("2.wav", "two");
  write_bytes(file, whole.substr(0, 1024) + std::string(512, 'x'));
  EXPECT_TRUE(contains(refusal([&] { (void)open_tar(file, {".wav"}); }),
                       "a.tar is damaged at byte 1024: this is not a header of a tar archive"));
  write_bytes(file, whole.substr(0, 1024 + 513));
  EXPECT_TRUE(
      contains(refusal([&] { (void)open_tar(file, {".wav"}); }), "the archive ends inside a file"));
  write_bytes(file, whole.substr(0, 1024 + 100));
  EXPECT_TRUE(contains(refusal([&] { (void)open_tar(file, {".wav"}); }),
                       "at byte 1024: the archive ends inside a header"));
}

}  // namespace
}  // namespace tessera::training
