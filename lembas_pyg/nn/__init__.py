"""Layers and models: tensors and indices only, no files and no tables."""

from lembas_pyg.nn.activations import (
    LeakyReLU,
    MichaelisMentenLike,
    Sigmoid,
    activation_by_name,
    leaky_relu,
    michaelis_menten_like,
    sigmoid,
)
from lembas_pyg.nn.contraction import contraction_rate
from lembas_pyg.nn.drug_response import DrugPrediction, DrugResponse
from lembas_pyg.nn.enlarge import enlarge
from lembas_pyg.nn.fixed_point import FixedPoint
from lembas_pyg.nn.lembas import LEMBAS, Prediction
from lembas_pyg.nn.projections import SparseProjection
from lembas_pyg.nn.signaling_conv import SignalingConv
from lembas_pyg.nn.spectral import spectral_radius
from lembas_pyg.nn.steady_state import SteadyState
from lembas_pyg.nn.unrolled import saved_bytes, unrolled_state

__all__ = [
    "LEMBAS",
    "DrugPrediction",
    "DrugResponse",
    "FixedPoint",
    "LeakyReLU",
    "MichaelisMentenLike",
    "Prediction",
    "Sigmoid",
    "SignalingConv",
    "SparseProjection",
    "SteadyState",
    "activation_by_name",
    "contraction_rate",
    "enlarge",
    "leaky_relu",
    "michaelis_menten_like",
    "saved_bytes",
    "sigmoid",
    "spectral_radius",
    "unrolled_state",
]
