from collections import namedtuple
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import SimpleNamespace
from typing import NamedTuple

from pydantic import BaseModel


class Card(str, Enum):
    SMALL = "L4"
    LARGE = "H100"


class Limits(NamedTuple):
    hours: int = 2
    memory: int = 4096


@dataclass
class Config:
    name: str
    card: Card = Card.SMALL
    hours: int = 1
    packages: list[str] = field(default_factory=lambda: ["torch==2.4.0"])
    indexes: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.cache = f"{self.name}-cache"

    @property
    def timeout(self):
        return self.hours * 3600

    @classmethod
    def large(cls, name):
        return cls(name, card=Card.LARGE, hours=20)


class Image(BaseModel):
    python: str = "3.11"
    cuda: str = "12.4.1"

    @cached_property
    def tag(self) -> str:
        return f"nvidia/cuda:{self.cuda}-devel-ubuntu22.04"


CONFIG = Config.large("configured")
IMAGE = Image(cuda="12.8.0")
LIMITS = Limits()
PATHS = SimpleNamespace(cache="/cache", out="/out")
Size = namedtuple("Size", "cpu gpu")
SIZE = Size(4, "T4")
