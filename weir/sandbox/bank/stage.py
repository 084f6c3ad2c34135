"""The sandbox's own window: the books for judges, and what stage directors may ask for."""

from datetime import date
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from weir.sandbox.bank.bank import Bank
from weir.sandbox.bank.money import cents
from weir.sandbox.bank.records import Payment
from weir.sandbox.faults import Fault

__all__ = ["stage"]


class FaultOrder(BaseModel):
    """The body of `POST /sandbox/faults`."""

    path: str
    kind: str
    times: int = Field(default=1, ge=1)
    delay_ms: int = Field(default=0, ge=0)


class EntryOrder(BaseModel):
    """The body of `POST /sandbox/entries`: a flow of a customer."""

    account: str
    amount: str
    text: str = "customer"
    end_to_end_id: str = ""
    day: date | None = None


class PlanOrder(BaseModel):
    """The body of `POST /sandbox/plans`: what happens to the next payments that are accepted."""

    outcome: Literal["reject", "return"]
    reason: str = Field(default="MS03", pattern="^[A-Z0-9]{4}$")
    times: int = Field(default=1, ge=1)


class Reason(BaseModel):
    """Why a payment is rejected or returned."""

    reason: str = Field(default="MS03", pattern="^[A-Z0-9]{4}$")


class Told(BaseModel):
    """The body of `POST /sandbox/balances`."""

    account: str
    told: str


class Later(BaseModel):
    """The body of `POST /sandbox/clock`."""

    advance_ms: int = Field(ge=0)


def stage(bank: Bank) -> APIRouter:
    """The routes below `/sandbox`."""
    router = APIRouter(prefix="/sandbox")
    _faults(router, bank)
    _payments(router, bank)

    @router.get("/books")
    async def books() -> dict[str, Any]:
        bank.advance()
        return bank.shown()

    @router.get("/flows/{number}")
    async def flows(number: str) -> dict[str, str]:
        bank.advance()
        return bank.flows(number)

    @router.post("/entries")
    async def enter(order: EntryOrder) -> dict[str, Any]:
        bank.advance()
        reference = order.end_to_end_id or f"STAGE-{len(bank.books.movements) + 1}"
        if order.end_to_end_id and bank.has_flow(order.account, reference):
            return {"end_to_end_id": reference}
        try:
            bank.enter(order.account, cents(order.amount), reference, order.text, order.day)
        except ValueError as why:
            raise HTTPException(422, str(why)) from why
        return {"end_to_end_id": reference}

    @router.post("/balances")
    async def tell(order: Told) -> dict[str, Any]:
        bank.advance()
        try:
            bank.teller.tell(order.account, order.told, bank.now_ms())
        except ValueError as why:
            raise HTTPException(422, str(why)) from why
        return {"account": order.account, "told": order.told}

    @router.post("/documents")
    async def put(request: Request) -> dict[str, Any]:
        return {"id": str(bank.mailbox.put(await request.body(), bank.now_ms()).number)}

    @router.post("/documents/{number}/again")
    async def again(number: int) -> dict[str, Any]:
        try:
            return {"id": str(bank.mailbox.again(number, bank.now_ms()).number)}
        except KeyError:
            raise HTTPException(404, f"no document {number}") from None

    @router.post("/clock")
    async def later(order: Later) -> dict[str, Any]:
        bank.pass_time(order.advance_ms)
        return {"now_ms": bank.now_ms()}

    @router.post("/tokens/forget")
    async def forget() -> dict[str, Any]:
        bank.gate.forget()
        return {}

    return router


def _faults(router: APIRouter, bank: Bank) -> None:
    @router.get("/faults")
    async def faults() -> dict[str, Any]:
        return bank.faults.snapshot()

    @router.post("/faults")
    async def arm(order: FaultOrder) -> dict[str, Any]:
        try:
            bank.faults.arm(Fault(**order.model_dump()))
        except ValueError as why:
            raise HTTPException(422, str(why)) from why
        return bank.faults.snapshot()

    @router.delete("/faults")
    async def disarm() -> dict[str, Any]:
        bank.faults.clear()
        return bank.faults.snapshot()


def _payments(router: APIRouter, bank: Bank) -> None:
    def known(end_to_end_id: str) -> Payment:
        bank.advance()
        found = bank.books.known(end_to_end_id)
        if found is None:
            raise HTTPException(404, f"no payment {end_to_end_id}")
        return found

    @router.post("/payments/{end_to_end_id}/reject")
    async def reject(end_to_end_id: str, why: Reason) -> dict[str, Any]:
        done = bank.desk.reject(known(end_to_end_id), why.reason, bank.now_ms())
        return {"done": done}

    @router.post("/payments/{end_to_end_id}/return")
    async def give_back(end_to_end_id: str, why: Reason) -> dict[str, Any]:
        done = bank.desk.give_back(known(end_to_end_id), why.reason, bank.now_ms())
        return {"done": done}

    @router.post("/plans")
    async def plan(order: PlanOrder) -> dict[str, Any]:
        bank.desk.planned += [(order.outcome, order.reason)] * order.times
        return {"planned": len(bank.desk.planned)}
