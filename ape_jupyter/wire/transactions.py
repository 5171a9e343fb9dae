"""Changes of a library as they travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.operations import (
    AddSimulation,
    DeleteSimulation,
    Operation,
    RestoreSimulation,
    SetPinned,
    SetTags,
    UpdateMetadata,
)

__all__ = [
    "MetadataChange",
    "OperationOrder",
    "Rollback",
    "TransactionOrder",
    "operations_of",
    "order_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataChange:
    """New values for fields of a run's metadata; what is null stays."""

    name: str | None = None
    notes: str | None = None
    visibility: str | None = None

    def changes(self) -> Mapping[str, Any]:
        """Return the fields that change."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationOrder:
    """One change; exactly one of the fields says which."""

    add: AddSimulation | None = None
    update_metadata: UpdateMetadata | None = None
    set_tags: SetTags | None = None
    set_pinned: SetPinned | None = None
    delete: DeleteSimulation | None = None
    restore: RestoreSimulation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionOrder:
    """Changes to be made in this order, all or none."""

    operations: tuple[OperationOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """That a client gave a transaction up before it was sent.

    Attributes
    ----------
    n_operations : int
        How many changes it had collected.
    reason : str
        Name of the exception that ended it.
    """

    n_operations: int
    reason: str


_FIELD_OF_OPERATION: Mapping[type, str] = {
    AddSimulation: "add",
    UpdateMetadata: "update_metadata",
    SetTags: "set_tags",
    SetPinned: "set_pinned",
    DeleteSimulation: "delete",
    RestoreSimulation: "restore",
}


def order_of(operations: Sequence[Operation]) -> TransactionOrder:
    """Return the order for these operations."""
    return TransactionOrder(operations=tuple(map(_order_of_one, operations)))


def _order_of_one(operation: Operation) -> OperationOrder:
    chosen: dict[str, Any] = {_FIELD_OF_OPERATION[type(operation)]: operation}
    return OperationOrder(**chosen)


def operations_of(order: TransactionOrder) -> list[Operation]:
    """Return the operations that an order asks for.

    Raises
    ------
    InvalidArgumentError
        If one of them is none, or two at once.
    """
    operations = []
    for position, item in enumerate(order.operations):
        given = [getattr(item, field.name) for field in fields(item)]
        chosen = [operation for operation in given if operation is not None]
        if len(chosen) != 1:
            known = ", ".join(field.name for field in fields(item))
            raise InvalidArgumentError(
                f"body.operations[{position}] should have exactly one of: {known}."
            )
        operations.append(chosen[0])
    return operations
