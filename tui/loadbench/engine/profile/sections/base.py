"""The base class of a profile's sections."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of a profile. Unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True
    )
