"""The HTTP API.

`POST /predict` classifies an image, `GET /health` lists the ready workers, and `GET /metrics`
exposes metrics for Prometheus.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus

from flask import Flask, Request, Response, abort, g, jsonify, request
from gunicorn.http.errors import ParseException
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api.metrics import Metrics
from api.timing import Stages
from common.config import ApiConfig
from common.errors import BrokerError, BusyError, DeadlineError, UnavailableError
from common.messages import Failure, Prediction, Reply
from common.queue import JobQueue

PREDICT = "/predict"
MAX_BODY_BYTES = 16 * 1024 * 1024
RETRY_AFTER_S = 1
MIN_WAIT_S = 0.001
LOG_INTERVAL_S = 10.0
"""Minimum seconds between two log lines about the broker."""
BROKER_UNAVAILABLE = "The broker does not respond."


class Predictor:
    """Sends images to the workers and waits for their predictions."""

    def __init__(self, config: ApiConfig, queue: JobQueue) -> None:
        """Create a predictor. `queue` must allow `config.slots` waiting threads."""
        self._queue = queue
        self._deadline_s = config.deadline_ms / 1000
        self._slots = threading.BoundedSemaphore(config.slots)

    def predict(self, request: Request, started: float) -> Reply:
        """Classify the image in a request; the deadline counts from `started`.

        Raises UnavailableError, or HTTPException if the request has no valid image.
        """
        with self._slot():
            # Read the body within a slot: slow clients must not use up the threads reserved for
            # error responses and /health.
            image = read_image(request)
            job_id = self._queue.add(image, self._remaining_s(started))
            return self._queue.wait(job_id, self._remaining_s(started))

    def _remaining_s(self, started: float) -> float:
        return max(MIN_WAIT_S, started + self._deadline_s - time.perf_counter())

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(blocking=False):
            raise BusyError("Too many concurrent requests: all API threads are in use.")
        try:
            yield
        finally:
            self._slots.release()


def create_app() -> Flask:
    """Create the application with settings from the environment.

    Raises ConfigError if a setting is invalid.
    """
    config = ApiConfig.read(os.environ)
    queue = JobQueue(
        config.broker_url,
        max_queue=config.max_queue,
        slots=config.slots,
        longest_wait_s=config.deadline_ms / 1000,
        password=config.broker_password,
    )
    predictor = Predictor(config, queue)
    metrics = Metrics(queue.status)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()

    @app.post(PREDICT)
    def predict() -> Response:
        reply = predictor.predict(request, g.started)
        return _respond(reply, g.started, metrics)

    @app.get("/health")
    def health() -> Response:
        return _health(queue)

    @app.get("/metrics")
    def metrics_page() -> Response:
        return Response(metrics.text(), content_type=CONTENT_TYPE_LATEST)

    @app.after_request
    def count(response: Response) -> Response:
        if request.path == PREDICT and request.method == "POST":
            metrics.count(response.status_code)
        return response

    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ParseException, _parse_error)
    app.register_error_handler(UnavailableError, _unavailable)
    app.register_error_handler(BrokerError, BrokerErrorHandler(app.logger))
    return app


class BrokerErrorHandler:
    """Returns 503 for broker errors, and logs the error at a limited rate."""

    def __init__(self, log: logging.Logger) -> None:
        """Log errors to `log`, at most once every LOG_INTERVAL_S seconds."""
        self._log = log
        self._last_logged_s = -LOG_INTERVAL_S

    def __call__(self, error: BrokerError) -> Response:
        """Log the error if the interval has passed, and return the error response."""
        if time.monotonic() > self._last_logged_s + LOG_INTERVAL_S:
            self._last_logged_s = time.monotonic()
            self._log.warning("%s", error)
        return _unavailable(UnavailableError(BROKER_UNAVAILABLE))


def read_image(request: Request) -> bytes:
    """Return the image in a request. Raises HTTPException if it is missing or too large."""
    image: bytes
    if request.mimetype == "multipart/form-data":
        if "file" not in request.files:
            abort(HTTPStatus.BAD_REQUEST, "Send the image as a file in the form field 'file'.")
        image = request.files["file"].read()
    elif request.mimetype.startswith("image/") or request.mimetype == "application/octet-stream":
        image = request.get_data(cache=False)
        if request.content_length is None:
            # Werkzeug truncates a body of unknown length at the limit and raises only on the next
            # read, by design: https://github.com/pallets/werkzeug/pull/2620.
            request.stream.read(1)
    else:
        abort(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Send the image as multipart/form-data, image/* or application/octet-stream.",
        )
    if not image:
        abort(HTTPStatus.BAD_REQUEST, "The image is empty.")
    return image


def _respond(reply: Reply, started: float, metrics: Metrics) -> Response:
    match reply:
        case Failure(fault="late"):
            raise DeadlineError(reply.reason)
        case Failure(fault="image"):
            return _error(HTTPStatus.UNPROCESSABLE_ENTITY, reply.reason)
        case Failure():
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, reply.reason)
        case Prediction():
            stages = Stages.of(reply, (time.perf_counter() - started) * 1000)
            metrics.observe(reply, stages)
            return _prediction(reply, stages)


def _prediction(prediction: Prediction, stages: Stages) -> Response:
    response = jsonify(
        label=prediction.top[0].label,
        score=prediction.top[0].score,
        top=[asdict(classification) for classification in prediction.top],
        batch_size=prediction.batch_size,
        timings_ms=stages.as_dict(),
    )
    response.headers["Server-Timing"] = stages.header()
    return response


def _health(queue: JobQueue) -> Response:
    try:
        workers = [status.info for status in queue.status().workers]
    except BrokerError:
        response = jsonify(ready=False, workers=[], error=BROKER_UNAVAILABLE)
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return response
    ready = any(worker.ready for worker in workers)
    response = jsonify(ready=ready, workers=[asdict(worker) for worker in workers])
    response.status_code = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return response


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        limit_mb = MAX_BODY_BYTES // 1024**2
        return _error(
            status, f"The request is too large: the limit is {limit_mb} MB and 1000 form fields."
        )
    response = _error(status, error.description or status.phrase)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.valid_methods or ())
    return response


def _parse_error(error: ParseException) -> Response:
    return _error(HTTPStatus.BAD_REQUEST, f"The request is not valid HTTP: {error}")


def _unavailable(error: UnavailableError) -> Response:
    response = _error(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _error(status: HTTPStatus, message: str) -> Response:
    response = jsonify(error=message)
    response.status_code = status
    return response
