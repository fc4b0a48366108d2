"""What models that know no network predict from the ligand columns alone.

A score of a network model means little without them: on the published screens plain regressions
come close to it or pass it. Every baseline is a function ``(x_train, y_train, x_test, seed)`` with
conditions as rows; its settings are chosen by cross-validation within the training conditions.
`predict_baselines` prepares the columns, clips the predictions and says what is missing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from lembas_pyg.spelling import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.model_selection import KFold

    Baseline = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]

__all__ = ["BASELINES", "predict_baselines"]

MEAN_WITHIN = "mean within co-stimulus"
# Fewer training conditions than this choose no settings: the regressions become the train mean.
_MIN_CONDITIONS = 5
_ALPHAS = np.logspace(-3, 3, 25)
_GAMMAS = np.logspace(-3, 1, 9)
_MAX_COMPONENTS = 15
_TREES = 150


def predict_baselines(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    *,
    costimulus: int | None = None,
    names: Iterable[str] | None = None,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Fit baselines to training conditions and predict others, on one thread.

    Columns of x that do not vary in training are dropped, the others divided by their largest
    absolute value there, so that 0/1 columns stay as they are. A TF that no training condition
    measured is predicted as the mean of all measured entries. With fewer than 5 training
    conditions, or no column that varies, every regression is the train mean.

    Args:
        x_train: Ligand concentrations of the training conditions.
        y_train: TF activities of the training conditions, NaN where not measured.
        x_test: Ligand concentrations of the held-out conditions.
        costimulus: Column of x with a ligand that others are combined with, such as LPS.
        names: Baselines to fit, see `BASELINES`; all if None.
        seed: Of inner folds and trees; the same seed gives the same predictions.

    Returns:
        Predictions by name of the baseline, clipped to [0, 1]. "mean within co-stimulus" is among
        them only where `costimulus` is given.

    Shapes:
        - **input:** ``[S_train, L]``, ``[S_train, T]``, ``[S_test, L]``
        - **output:** ``[S_test, T]`` each

    Raises:
        ValueError: Shapes do not fit, x is not finite, nothing was measured, there is no such
            column or baseline.

    Example:
        >>> x, y = [[0.0], [0.5], [1.0]], [[0.2], [0.3], [0.7]]
        >>> predict_baselines(x, y, [[2.0]], names=["train mean"])
        {'train mean': array([[0.4]])}
    """
    from threadpoolctl import threadpool_limits

    x, y, z = _check(x_train, y_train, x_test)
    chosen = _check_names(names, costimulus)
    if costimulus is not None and not 0 <= costimulus < x.shape[1]:
        raise ValueError(
            f"costimulus is {costimulus}; it is a column of x, which has {x.shape[1]}: give 0 to "
            f"{x.shape[1] - 1}."
        )
    y = np.where(np.isnan(y).all(axis=0), np.nanmean(y), y)
    columns = np.ptp(x, axis=0) > 0
    scale = np.abs(x[:, columns]).max(axis=0)
    scaled = x[:, columns] / scale, y, z[:, columns] / scale
    found = {}
    # Matrices this small are slower on several threads, and other folds run beside.
    with threadpool_limits(1):
        for name in chosen:
            if name == MEAN_WITHIN and costimulus is not None:
                prediction = BASELINES[name](x[:, [costimulus]], y, z[:, [costimulus]], seed)
            elif len(x) < _MIN_CONDITIONS or not columns.any():
                prediction = train_mean(*scaled, seed)
            else:
                prediction = BASELINES[name](*scaled, seed)
            found[name] = np.clip(prediction, 0.0, 1.0)
    return found


def train_mean(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Mean of every TF over the training conditions in which it was measured."""
    return np.tile(np.nanmean(y, axis=0), (len(z), 1))


def mean_within(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Mean over the training conditions that contain the same columns of x.

    Given the column of the co-stimulus alone: those with it, or those without it. A TF that none
    of them measured gets its train mean.
    """
    prediction = train_mean(x, y, z)
    for row, present in enumerate(z != 0):
        alike = y[((x != 0) == present).all(axis=1)]
        known = ~np.isnan(alike).all(axis=0)
        prediction[row, known] = np.nanmean(alike[:, known], axis=0)
    return prediction


def ridge(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Ridge regression, one penalty for all TFs, by leave-one-out; gaps filled by the mean."""
    from sklearn.linear_model import RidgeCV

    return _rows(RidgeCV(_ALPHAS).fit(x, _filled(y)).predict(z), z)


def ridge_per_tf(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Ridge regression with a penalty for every TF, by leave-one-out over what was measured."""
    from sklearn.linear_model import RidgeCV

    prediction = train_mean(x, y, z)
    for tfs, rows in _measured_together(y):
        if rows.sum() >= _MIN_CONDITIONS:
            model = RidgeCV(_ALPHAS, alpha_per_target=True).fit(x[rows], y[np.ix_(rows, tfs)])
            prediction[:, tfs] = _rows(model.predict(z), z)
    return prediction


def pls(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Partial least squares on columns and TFs of unit variance; gaps filled by the mean."""
    return _pls(x, _filled(y), z, seed, scale=True)


def pls_unscaled(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Partial least squares on columns as they are; gaps filled by the mean.

    Without scaling, a co-stimulus that is in half of the conditions outweighs ligands that are in
    two, and TFs that vary outweigh those that do not.
    """
    return _pls(x, _filled(y), z, seed, scale=False)


def elastic_net(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Multi-task elastic net: a ligand is used for all TFs or none; gaps filled by the mean."""
    from sklearn.linear_model import MultiTaskElasticNetCV

    model = MultiTaskElasticNetCV(
        l1_ratio=[0.5, 0.9, 0.99],
        alphas=12,
        cv=_folds(len(x), 10, seed),
        max_iter=20_000,
        tol=1e-3,
    )
    return model.fit(x, _filled(y)).predict(z)


def kernel_ridge(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Ridge regression in the space of a Gaussian kernel; gaps filled by the mean.

    Width and penalty by leave-one-out. The centred kernel's principal components are that space,
    so that the closed form of the linear model serves all penalties of a width at once.
    """
    from sklearn.decomposition import KernelPCA
    from sklearn.linear_model import RidgeCV

    y, best = _filled(y), (-np.inf, y[:0])
    for gamma in _GAMMAS:
        space = KernelPCA(n_components=None, kernel="rbf", gamma=gamma, eigen_solver="dense")
        model = RidgeCV(_ALPHAS).fit(space.fit_transform(x), y)
        if model.best_score_ > best[0]:
            best = model.best_score_, _rows(model.predict(space.transform(z)), z)
    return best[1]


def random_forest(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int = 0) -> np.ndarray:
    """Random forest, one for all TFs; gaps filled by the mean.

    Size of leaves and columns tried at a split by the error of the conditions a tree did not see.
    """
    from sklearn.ensemble import RandomForestRegressor

    y, best = _filled(y), (np.inf, y[:0])
    for max_features in ("sqrt", 1.0):
        for min_samples_leaf in (1, 2):
            model = RandomForestRegressor(
                _TREES,
                min_samples_leaf=min_samples_leaf,
                max_features=max_features,
                oob_score=True,
                random_state=seed,
            ).fit(x, y.squeeze(1) if y.shape[1] == 1 else y)
            error = float(np.square(model.oob_prediction_.reshape(y.shape) - y).mean())
            if error < best[0]:
                best = error, _rows(model.predict(z), z)
    return best[1]


BASELINES: dict[str, Baseline] = {
    "train mean": train_mean,
    MEAN_WITHIN: mean_within,
    "ridge": ridge,
    "ridge, alpha per TF": ridge_per_tf,
    "PLS": pls,
    "PLS, unscaled": pls_unscaled,
    "elastic net": elastic_net,
    "kernel ridge": kernel_ridge,
    "random forest": random_forest,
}
# Those that use the columns of x.
REGRESSIONS = tuple(name for name in BASELINES if name not in ("train mean", MEAN_WITHIN))


def _pls(x: np.ndarray, y: np.ndarray, z: np.ndarray, seed: int, *, scale: bool) -> np.ndarray:
    """Partial least squares; the number of components is that of the smallest inner error."""
    error = np.zeros(_MAX_COMPONENTS)
    for train, test in _folds(len(x), 30, seed).split(x):
        paths = _pls_path(x[train], y[train], x[test], scale)
        error += np.square(paths - y[test]).sum(axis=(1, 2))
    return _pls_path(x, y, z, scale)[int(error.argmin())]


def _pls_path(x: np.ndarray, y: np.ndarray, z: np.ndarray, scale: bool) -> np.ndarray:
    """Predictions with 1, 2, ... components, of one fit: [components, S_test, T].

    Beyond the rank of x they are those of the last component there is.
    """
    from sklearn.cross_decomposition import PLSRegression

    x, z = x - x.mean(axis=0), z - x.mean(axis=0)
    mean, spread = y.mean(axis=0), _deviation(y) if scale else np.ones(y.shape[1])
    if scale:
        x, z = x / _deviation(x), z / _deviation(x)
    rank = min(int(np.linalg.matrix_rank(x)), _MAX_COMPONENTS)
    if rank == 0:
        return np.broadcast_to(mean, (_MAX_COMPONENTS, len(z), len(mean)))
    with warnings.catch_warnings():
        # Nothing left to explain, or two directions that explain the same: both are harmless.
        warnings.filterwarnings("ignore", "y residual is constant|Maximum number of iterations")
        model = PLSRegression(rank, scale=False).fit(x, (y - mean) / spread)
    terms = np.einsum("sk,tk->kst", z @ model.x_rotations_, model.y_loadings_)
    path = mean + spread * terms.cumsum(axis=0)
    return path[np.minimum(np.arange(_MAX_COMPONENTS), rank - 1)]


def _deviation(values: np.ndarray) -> np.ndarray:
    """Standard deviation of every column; 1 where it does not vary."""
    deviation = values.std(axis=0, ddof=1)
    return np.where(deviation > 0, deviation, 1.0)


def _folds(num_conditions: int, k: int, seed: int) -> KFold:
    from sklearn.model_selection import KFold

    return KFold(min(k, num_conditions), shuffle=True, random_state=seed)


def _filled(y: np.ndarray) -> np.ndarray:
    """What was not measured as the mean of the TF."""
    return np.where(np.isnan(y), np.nanmean(y, axis=0), y)


def _measured_together(y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """TFs (indices) measured in the same conditions (mask)."""
    patterns, group = np.unique(~np.isnan(y), axis=1, return_inverse=True)
    for index, rows in enumerate(patterns.T):
        yield np.flatnonzero(group.ravel() == index), rows


def _rows(prediction: np.ndarray, z: np.ndarray) -> np.ndarray:
    """With the axis of TFs, which scikit-learn drops where there is one."""
    return np.asarray(prediction).reshape(len(z), -1)


def _check_names(names: Iterable[str] | None, costimulus: int | None) -> list[str]:
    """Baselines asked for, in the order of `BASELINES` if all."""
    if names is None:
        return [name for name in BASELINES if name != MEAN_WITHIN or costimulus is not None]
    chosen = [names] if isinstance(names, str) else list(names)
    unknown = [name for name in chosen if name not in BASELINES]
    if unknown:
        raise ValueError(
            f"'{unknown[0]}' is not a baseline; choose from {', '.join(map(repr, BASELINES))}."
            f"{did_you_mean(unknown[0], BASELINES)}"
        )
    if MEAN_WITHIN in chosen and costimulus is None:
        raise ValueError(f"'{MEAN_WITHIN}' needs costimulus=, the column of the co-stimulus.")
    return chosen


def _check(
    x_train: ArrayLike, y_train: ArrayLike, x_test: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All three in float64, refused where they do not fit together."""
    given = {"x_train": x_train, "y_train": y_train, "x_test": x_test}
    found = {name: np.asarray(value, dtype=np.float64) for name, value in given.items()}
    for name, value in found.items():
        if value.ndim != 2 or 0 in value.shape:
            raise ValueError(
                f"{name} has shape {list(value.shape)}; it must be a filled matrix with "
                f"conditions as rows."
            )
        wrong = np.isinf(value) if name == "y_train" else ~np.isfinite(value)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            legal = "NaN for 'not measured'" if name == "y_train" else "0 for 'not added'"
            raise ValueError(
                f"{name} has {value[row, column]} in row {row}, column {column}; give finite "
                f"numbers, and {legal}."
            )
    x, y, z = found.values()
    if len(x) != len(y):
        raise ValueError(
            f"x_train has {len(x)} rows and y_train {len(y)}; both have the training conditions "
            f"as rows."
        )
    if x.shape[1] != z.shape[1]:
        raise ValueError(
            f"x_train has {x.shape[1]} columns and x_test {z.shape[1]}; both have the ligands as "
            f"columns, in the same order."
        )
    if np.isnan(y).all():
        raise ValueError("y_train holds no measured entry; there is nothing to fit.")
    return x, y, z
