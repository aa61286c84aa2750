"""Training of spiking networks: networks and layers as objects, samples from NumPy, the trainer.

docs/training.md has the equations and all keys; names and units are the same here.
"""
# Copyright 2026 The Tessera authors. SPDX-License-Identifier: Apache-2.0

from .data import Data
from .network import Layer, Network
from .trainer import Epoch, Evaluation, Forward, History, Trainer, fit

__all__ = ["Data", "Epoch", "Evaluation", "Forward", "History", "Layer", "Network", "Trainer", "fit"]
