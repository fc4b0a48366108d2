"""Tasks on workers: a task whose worker is lost is given to another, and none is done twice."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from tqdm import tqdm

__all__ = ["run_tasks"]

logger = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")
# How often a task is given to another worker.
_RETRIES = 3
# What executors raise in place of a result when a worker is gone; those of Dask need no import.
_LOSSES = {"BrokenExecutor", "CancelledError", "CommClosedError", "KilledWorker"}


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    executor: Executor | None = None,
    jobs: int = 1,
) -> Iterator[tuple[Task, Result]]:
    """Tasks with their results, as they are done.

    Args:
        function: What is done with a task. Other processes import it by its name.
        tasks: Its arguments, one a call. Messages name them by their `str`.
        executor: Where tasks are done; the caller shuts it down.
        jobs: Without an executor, processes on this machine, one thread each; 1 for none.

    Raises:
        RuntimeError: A task lost one worker after the other, or the executor takes no more.
        Exception: What `function` raises ends the run; it would only come back.
    """
    if executor is not None:
        yield from _submitted(function, tasks, executor)
    elif jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, function(task)
    else:
        with _Processes(min(jobs, len(tasks))) as processes:
            yield from _submitted(function, tasks, processes)


def _submitted(
    function: Callable[[Task], Result], tasks: Sequence[Task], executor: Executor
) -> Iterator[tuple[Task, Result]]:
    """Tasks on an executor; one whose worker was lost is submitted again."""

    def submit(task: Task, attempt: int) -> None:
        pending[executor.submit(_attempt, function, task, attempt)] = task, attempt

    pending: dict[Future[Result], tuple[Task, int]] = {}
    try:
        for task in tasks:
            submit(task, 1)
        while pending:
            # Results are last, hence first to be popped: a loss may end the run.
            done = sorted(wait(pending, return_when=FIRST_COMPLETED).done, key=_has_result)
            while done:
                future = done.pop()
                task, attempt = pending.pop(future)
                try:
                    result = future.result()
                except Exception as error:
                    if not _is_loss(error):
                        error.add_note(f"While working on {task}.")
                        raise
                    if attempt > _RETRIES:
                        raise RuntimeError(
                            f"{task} has lost {attempt} workers, the last one so: {error}. Perhaps "
                            f"memory is short: use fewer jobs. What was done before is kept where "
                            f"there is a folder for it."
                        ) from error
                    logger.warning("%s was lost (%s); it is tried again.", task, error)
                    submit(task, attempt + 1)
                else:
                    # Dask keeps, and does again if need be, what there are futures of.
                    del future
                    yield task, result
    finally:
        for future in pending:
            future.cancel()


def _attempt(function: Callable[[Task], Result], task: Task, attempt: int) -> Result:
    """One call; its number makes it another one to Dask, where equal calls have one result."""
    return function(task)


def _has_result(future: Future) -> bool:
    return not future.cancelled() and future.exception() is None


def _is_loss(error: Exception) -> bool:
    """Whether an error speaks of a lost worker, whatever the executor calls it."""
    return bool(_LOSSES & {kind.__name__ for kind in type(error).__mro__})


class _Processes(Executor):
    """Processes of this machine, each at the end of a pipe of its own.

    `ProcessPoolExecutor` ends all its processes when one dies, and leaves them behind, with its
    semaphores, when this one is killed. Tensors pass by value here; between processes of torch each
    would hold a file descriptor.
    """

    def __init__(self, jobs: int) -> None:
        self._threads = ThreadPoolExecutor(jobs)
        self._lock = threading.Lock()
        self._is_open = True
        self._all: list[BaseProcess] = []
        self._idle: list[tuple[BaseProcess, Connection]] = []

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        return self._threads.submit(self._call, function, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, and with them what they are working on."""
        with self._lock:
            self._is_open = False
            for process in self._all:
                process.kill()
        self._threads.shutdown(wait, cancel_futures=True)

    def _call(self, *call: Any) -> Any:
        """One call, in a process that is idle or a new one."""
        message = pickle.dumps(call)
        process, connection = self._get()
        try:
            connection.send_bytes(message)
            answer = connection.recv_bytes()
        except (EOFError, OSError) as error:
            process.kill()
            process.join()
            connection.close()
            raise BrokenExecutor(
                f"its worker process died, exit code {process.exitcode}"
            ) from error
        with self._lock:
            self._idle.append((process, connection))
        is_result, value = pickle.loads(answer)
        if is_result:
            return value
        raise value

    def _get(self) -> tuple[BaseProcess, Connection]:
        with self._lock:
            if not self._is_open:
                raise BrokenExecutor("its workers were ended")
            if self._idle:
                return self._idle.pop()
            ours, theirs = multiprocessing.Pipe()
            context = multiprocessing.get_context("spawn")
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._all.append(process)
            before = os.environ.get("OMP_NUM_THREADS")
            os.environ["OMP_NUM_THREADS"] = "1"  # read once, when torch and BLAS are loaded
            try:
                process.start()
            finally:
                if before is None:
                    del os.environ["OMP_NUM_THREADS"]
                else:
                    os.environ["OMP_NUM_THREADS"] = before
            theirs.close()
            return process, ours


def _serve(connection: Connection) -> None:
    """Answer calls, in a process of its own, for as long as there is someone to call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the caller decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tqdm.set_lock(threading.RLock())  # its own is a semaphore, which outlives a killed process
    while True:
        try:
            message = connection.recv_bytes()
        except EOFError:
            return
        try:
            function, args, kwargs = pickle.loads(message)
            answer = pickle.dumps((True, function(*args, **kwargs)))
        except Exception as error:
            answer = _failure(error)
        connection.send_bytes(answer)


def _failure(error: Exception) -> bytes:
    """An error with its traceback, as text where it cannot be sent itself."""
    text = traceback.format_exc()
    try:
        error.add_note(text)
        message = pickle.dumps((False, error))
        pickle.loads(message)
        return message
    except Exception:
        return pickle.dumps((False, RuntimeError(text)))


def _end_with_parent() -> None:
    """End this process in the midst of its work once nobody waits for the result."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
