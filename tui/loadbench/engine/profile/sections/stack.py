"""The section `stack` of a profile."""

from typing import Annotated, Literal

from pydantic import Field

from loadbench.engine.profile.driver_settings import AUTO
from loadbench.engine.profile.fields import (
    Duration,
    Headers,
    HealthTexts,
    PathText,
    PathTexts,
    ServiceNames,
    ServicePort,
    Text,
    Variables,
    Whole,
)
from loadbench.engine.profile.sections.base import Section


class StackSection(Section):
    """Settings for starting and scaling the service under test."""

    driver: Literal["auto", "compose", "local", "external"] = Field(
        "auto",
        title="Driver",
        description="How the service is started. compose: in containers, with Docker Compose; "
        "local: as processes on this machine, without Docker; external: not at all, because it "
        "already runs at `host`; auto: compose if a Docker engine responds, otherwise local",
        json_schema_extra={
            "comment": "compose: containers | local: processes, no Docker |\n"
            "external: already runs at host | auto: compose if possible, else local"
        },
    )
    compose: PathTexts = Field(
        ("stack/compose.yaml",),
        title="Compose files",
        description="Compose files of the service. Any Compose project is supported. Paths are "
        "absolute or relative to the workspace; later files override earlier ones",
        json_schema_extra={"comment": "Compose files of the service"},
    )
    service: Text = Field(
        "model",
        title="Scaled service",
        description="Compose service to scale",
        json_schema_extra={"comment": "Compose service to scale"},
    )
    port: ServicePort = Field(
        None,
        title="Port",
        description="Container port that receives the requests, such as 8000, api:8000 or, with "
        "TLS, https://api:8443; null: the only port that the service or a proxy in front of it "
        "declares. Only with driver compose",
        json_schema_extra={"comment": "container port for requests, such as 8000 or api:8000"},
    )
    balance: Literal["auto", "clients", "front"] = Field(
        "auto",
        title="Load balancing",
        description="How requests reach the replicas. clients: Locust assigns its users to the "
        "replicas in turn; front: a proxy, API or queue of the project distributes them; auto: "
        "clients if the requests go to the scaled service itself, otherwise front. Only with "
        "driver compose",
        json_schema_extra={
            "comment": "clients: Locust assigns its users to the replicas |\n"
            "front: the project distributes the requests | auto"
        },
    )
    without: ServiceNames = Field(
        (AUTO,),
        title="Left-out services",
        description="Services that are not started. auto stands for services that the measurement "
        "does not need, such as dashboards; []: start all. Load generators are never started. Only "
        "with driver compose",
        json_schema_extra={"comment": "services that are not started; auto: those not needed"},
    )
    restart: bool = Field(
        True,
        title="Restart policies",
        description="Whether containers keep their restart policies. false: a container that exits "
        "stays down, and its cell fails at once. Only with driver compose",
        json_schema_extra={"comment": "false: containers that exit are not restarted"},
    )
    health: HealthTexts = Field(
        ("/health",),
        title="Health check",
        description="What must respond before a cell is measured, one or several of: a path, which "
        "is appended to the host of the service, or a URL, which must respond with 2xx; tcp or "
        "tcp://HOST:PORT, which must accept connections; containers: only the health checks of "
        "the containers",
        json_schema_extra={
            "comment": "a path on host | a URL | tcp | tcp://HOST:PORT |\n"
            "containers: their own health checks"
        },
    )
    healthcheck: bool = Field(
        True,
        title="Container health checks",
        description="Whether containers keep their health checks. off: they are removed, except "
        "those of data stores, and dependent services start without waiting for them. Only with "
        "driver compose",
        json_schema_extra={"comment": "off: containers have no health checks of their own"},
    )
    count_workers: bool = Field(
        False,
        title="Counted workers",
        description="Whether the response of the health check lists workers, of which exactly one "
        "per replica must be ready. The bundled service always does. Only with driver compose",
        json_schema_extra={"comment": "true: the health check lists one worker per replica"},
    )
    headers: Headers = Field(
        default_factory=dict,
        title="HTTP headers",
        description="Headers of health checks and of requests to the service by HttpUser and "
        "FastHttpUser, such as Host. Headers that the locustfile sets take precedence. Write "
        "secrets as ${NAME}",
        json_schema_extra={"comment": "HTTP headers of health checks and of users' requests"},
    )
    verify: bool = Field(
        True,
        title="Verify certificates",
        description="Whether TLS certificates are verified by health checks and by HttpUser. "
        "FastHttpUser verifies none, unless its class sets insecure to False",
        json_schema_extra={"comment": "false: TLS certificates are not verified"},
    )
    ca_file: PathText | None = Field(
        None,
        title="CA certificate",
        description="PEM file with the certificate of the CA, or with the self-signed certificate "
        "of the service. Its path is absolute or relative to the workspace; null: public CAs",
        json_schema_extra={"comment": "PEM file of the CA of the service; null: public CAs"},
    )
    environment: Variables = Field(
        default_factory=dict,
        title="Environment variables",
        description="Additional environment variables of the API and the models. Other Compose "
        "projects must refer to them as ${NAME}. Write secrets as ${NAME}, too: the run then takes "
        "them from its own environment",
        json_schema_extra={"comment": "additional environment variables of the API and the models"},
    )
    startup_timeout: Annotated[Duration, Field(gt=0, le=86400)] = Field(
        180.0,
        title="Start-up timeout",
        description="Maximum time to wait until all models are ready",
        json_schema_extra={"comment": "maximum time to wait until all models are ready"},
    )
    model_threads: Annotated[Whole, Field(ge=1, le=1024)] = Field(
        1,
        title="Threads per model",
        description="ONNX Runtime threads per model. Keep models × threads within the number of "
        "CPU cores",
        json_schema_extra={
            "comment": "ONNX Runtime threads per model; models × threads ≤ CPU cores"
        },
    )
    memory_mb: Annotated[Whole, Field(ge=6)] | None = Field(
        None,
        title="Memory limit (MB)",
        description="Memory limit of a model container in MB; null: no limit. Only with driver "
        "compose",
        json_schema_extra={"comment": "memory limit of a model container in MB; null: no limit"},
    )
    gpu_memory_mb: Annotated[Whole, Field(ge=1)] | None = Field(
        None,
        title="VRAM limit (MB)",
        description="VRAM limit of a model in MB; null: allocated as needed",
        json_schema_extra={"comment": "VRAM limit of a model in MB; null: allocated as needed"},
    )
