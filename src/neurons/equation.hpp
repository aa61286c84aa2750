// How a model's scalar equation is declared: the oracle of its vector step, and what a GPU runs.
// Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0
#pragma once

// A file that wants the equations without the vector kernels (src/kernels/cuda) defines
// TESSERA_EQUATIONS_ONLY and includes the model's file.
#if defined(__CUDACC__)
#define TESSERA_EQUATION __host__ __device__ inline
#else
#define TESSERA_EQUATION inline
#endif
