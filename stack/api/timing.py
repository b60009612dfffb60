"""The stages of a request, and their `Server-Timing` header (W3C)."""

from dataclasses import asdict, dataclass

from common.messages import Prediction


@dataclass(frozen=True, slots=True)
class Stages:
    """Time of one request by stage, in milliseconds."""

    queue: float
    decode: float
    infer: float
    total: float

    @classmethod
    def of(cls, prediction: Prediction, total_ms: float) -> "Stages":
        """Combine the times of a worker with the total time of the request.

        The queue time is measured with wall clocks, which may jump, so it is limited to the rest
        of the total.
        """
        rest_ms = max(0.0, total_ms - prediction.decode_ms - prediction.infer_ms)
        stages = (min(prediction.queue_ms, rest_ms), prediction.decode_ms, prediction.infer_ms)
        return cls(*(round(stage, 3) for stage in (*stages, total_ms)))

    def header(self) -> str:
        """Return the value of the `Server-Timing` header."""
        return ", ".join(f"{name};dur={dur:.3f}" for name, dur in self.as_dict().items())

    def as_dict(self) -> dict[str, float]:
        """Return the stages by name, in the order of their execution, and the total."""
        return asdict(self)

    def shares(self) -> dict[str, float]:
        """Return the stages that add up to the total; `api` is the remainder."""
        known = {"queue": self.queue, "decode": self.decode, "infer": self.infer}
        return known | {"api": max(0.0, self.total - sum(known.values()))}
