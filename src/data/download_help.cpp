// Where the files of every data set come from and where they belong.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "data/catalogue.hpp"
#include "data/readers.hpp"

namespace tessera::training {
namespace {

const char* const kMnist =
    R"(MNIST (60,000 training and 10,000 test images): four files, from http://yann.lecun.com/exdb/mnist/ or
https://ossci-datasets.s3.amazonaws.com/mnist/, into DATA/mnist/ (compressed or not). SHA-256:
  440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609  train-images-idx3-ubyte.gz
  3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c  train-labels-idx1-ubyte.gz
  8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6  t10k-images-idx3-ubyte.gz
  f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6  t10k-labels-idx1-ubyte.gz)";

const char* const kNmnist =
    R"(N-MNIST (60,000 training and 10,000 test recordings): Train.zip and Test.zip, from
https://www.garrickorchard.com/datasets/n-mnist, unpacked into DATA/nmnist/Train/<digit>/*.bin and
DATA/nmnist/Test/<digit>/*.bin. Or the small set of 1,000 and 100 recordings (NMNISTsmall: <n>.bs2, train1K.txt,
test100.txt) that comes with SLAYER, as a folder or an archive (SHA-256 of the one we test with):
  a5e53d0e82386627e2c7b88a74a9d2d47021e59434ebcce879bc25f378d98ec0  NMNISTsmall.tar.gz)";

const char* const kSpokenDigits =
    R"(Free Spoken Digit Dataset (3,000 recordings; index 0-4 test, 5-49 training): the folder `recordings` of
https://github.com/Jakobovski/free-spoken-digit-dataset, as DATA/spoken_digits/recordings/*.wav, with files named
{digit}_{speaker}_{index}.wav; or an archive of them (SHA-256 of the one we test with):
  9c0fed7d74d74459da95b134a8d50119ee51285e094b9c9a822496023b134182  fsdd_recordings.tar.gz)";

const char* const kShd =
    R"(Spiking Heidelberg Digits (8,156 training and 2,264 test recordings, 20 classes): shd_train.h5.gz and
shd_test.h5.gz, from https://zenkelab.org/datasets/ (checksums are listed there), unpacked with gunzip into
DATA/shd/shd_train.h5 and DATA/shd/shd_test.h5.)";

const char* const kSsc =
    R"(Spiking Speech Commands (75,466 training and 20,382 test recordings, 35 classes): ssc_train.h5.gz and
ssc_test.h5.gz, from https://zenkelab.org/datasets/ (checksums are listed there), unpacked with gunzip into
DATA/ssc/ssc_train.h5 and DATA/ssc/ssc_test.h5.)";

const char* const kDvsGesture =
    R"(DVS Gesture (11 classes): DvsGesture.tar.gz, from https://research.ibm.com/interactive/dvsgesture/, unpacked into
DATA/dvs_gesture/DvsGesture/, which then holds trials_to_train.txt, trials_to_test.txt, <user>_<light>.aedat and
<user>_<light>_labels.csv. Or the recordings cut to one gesture each (1,077 training and 264 test, npy with columns
x, y, polarity, time in ms): DATA/dvs_gesture/ibmGestureTrain/<user>_<light>/<label>.npy and ibmGestureTest/.)";

const char* const kEuroSat =
    R"(EuroSAT, RGB version (27,000 images of 64 x 64 pixels, 10 classes): EuroSAT.zip or EuroSAT_RGB.zip, from
https://github.com/phelber/EuroSAT, unpacked into DATA/eurosat/<Class>/<Class>_<n>.jpg (the folder 2750 or EuroSAT_RGB
of the archive may stay in between). There is no official split: the first nine tenths of every class, by n, are for
training, the rest for testing. Or the first 800 images of each class (SHA-256 of the archive we test with):
  34b9315324f4168fc03f9071261675f265a6b0dcbee3cd0ac115b0644f47e07f  EuroSAT_RGB_8000.tar)";

const char* const kOwnFiles =
    R"(Files of your own, in DATA or in the folder of it that `folder` names: [data.file] of the training file has their
names; docs/data.md has the layouts.)";

}  // namespace

std::string download_help(const std::string& dataset) {
  if (dataset == "mnist") return kMnist;
  if (dataset == "nmnist") return kNmnist;
  if (dataset == "spoken_digits") return kSpokenDigits;
  if (dataset == "shd") return kShd;
  if (dataset == "ssc") return kSsc;
  if (dataset == "dvs_gesture") return kDvsGesture;
  if (dataset == "eurosat") return kEuroSat;
  if (dataset == "file") return kOwnFiles;
  if (is_generated(dataset)) return dataset + " is generated and needs no files.";
  return "";
}

void throw_missing(const std::string& dataset, const Folders& folders) {
  std::vector<std::string> names;
  for (const auto& folder : folders) names.push_back(folder.string());
  throw InputError(
      fmt::format("the files of data set '{}' are not in {}. What to get (DATA is the data "
                  "folder):\n{}",
                  dataset, fmt::join(names, " or "), download_help(dataset)));
}

}  // namespace tessera::training
