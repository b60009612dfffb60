"""The stages of a request, and the W3C header that carries them."""

from dataclasses import asdict, dataclass

from common.messages import Prediction


@dataclass(frozen=True, slots=True)
class Stages:
    """Where one request's time went, in milliseconds."""

    queue: float
    decode: float
    infer: float
    total: float

    @classmethod
    def of(cls, prediction: Prediction, total_ms: float) -> "Stages":
        """Put a worker's times beside the whole.

        Waiting is measured across processes by the clock on the wall, which may jump: it never
        exceeds what the other stages leave of the total.
        """
        rest_ms = max(0.0, total_ms - prediction.decode_ms - prediction.infer_ms)
        stages = (min(prediction.queue_ms, rest_ms), prediction.decode_ms, prediction.infer_ms)
        return cls(*(round(stage, 3) for stage in (*stages, total_ms)))

    def header(self) -> str:
        """The value of `Server-Timing`."""
        return ", ".join(f"{name};dur={dur:.3f}" for name, dur in self.as_dict().items())

    def as_dict(self) -> dict[str, float]:
        """The stages by name, in the order of a request's way."""
        return asdict(self)

    def shares(self) -> dict[str, float]:
        """What the total is made of; `api` is what no other stage accounts for."""
        known = {"queue": self.queue, "decode": self.decode, "infer": self.infer}
        return known | {"api": max(0.0, self.total - sum(known.values()))}
