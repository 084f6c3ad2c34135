"""Payment messages: pain.001.001.09 as a customer sends it, pain.002.001.12 as the bank answers.

The request is read only if it is valid by its ISO schema. The schemas stand in the repository as
published; nothing else is shared with whoever sends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from lxml import etree

from weir.sandbox.bank.days import utc_text
from weir.sandbox.bank.records import Change, Order, Payment

__all__ = ["NotReadable", "Request", "read_request", "report", "tree"]

SCHEMAS = Path(__file__).parents[3] / "schemas" / "iso20022"
XMLNS = "urn:iso:std:iso:20022:tech:xsd:"
REQUEST, REPORT = "pain.001.001.09", "pain.002.001.12"
BYTES_MAX = 1_000_000
_validating = Lock()

Children = str | Sequence[Any] | None


class NotReadable(ValueError):
    """The body is no message that this bank takes."""


@dataclass(frozen=True, slots=True)
class Request:
    """A whole message; `wrong` is the reason that refuses all of it, if any."""

    msg_id: str
    orders: tuple[Order, ...]
    wrong: str = ""


def read_request(data: bytes) -> Request:
    """The message of a body. Raises NotReadable."""
    if len(data) > BYTES_MAX:
        raise NotReadable(f"{len(data)} bytes are more than {BYTES_MAX}")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as why:
        raise NotReadable(f"no XML: {why}") from why
    if root.getroottree().docinfo.doctype:
        raise NotReadable("a document type is not accepted")
    with _validating:
        schema = _schema(REQUEST)
        if not schema.validate(root):
            raise NotReadable(f"no valid {REQUEST}: {schema.error_log[0].message}")
    body = root[0]
    orders = tuple(
        _order(group, one) for group in _all(body, "PmtInf") for one in _all(group, "CdtTrfTxInf")
    )
    return Request(_text(body, "GrpHdr/MsgId"), orders, _wrong(body, orders))


def report(msg_id: str, rows: Sequence[tuple[Payment, Change]], at_ms: int, number: int) -> bytes:
    """The pain.002 of a message: how each of these transactions stands."""
    states = {change.state for _, change in rows}
    group = states.pop() if len(states) == 1 else "PART"
    body = (
        "CstmrPmtStsRpt",
        [
            ("GrpHdr", [("MsgId", f"STS-{number}"), ("CreDtTm", utc_text(at_ms))]),
            (
                "OrgnlGrpInfAndSts",
                [("OrgnlMsgId", msg_id), ("OrgnlMsgNmId", REQUEST), ("GrpSts", group)],
            ),
            *(_group(pmt_inf_id, rows) for pmt_inf_id in _groups(rows)),
        ],
    )
    return tree(REPORT, [body])


def tree(name: str, children: Children) -> bytes:
    """A document as bytes: nested (name, text or children, attributes), None leaves out."""
    namespace = f"{XMLNS}{name}"
    root = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})
    _fill(root, namespace, children)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _group(pmt_inf_id: str, rows: Sequence[tuple[Payment, Change]]) -> Any:
    return (
        "OrgnlPmtInfAndSts",
        [
            ("OrgnlPmtInfId", pmt_inf_id),
            *(_transaction(*row) for row in rows if row[0].pmt_inf_id == pmt_inf_id),
        ],
    )


def _transaction(payment: Payment, change: Change) -> Any:
    reason = [("StsRsnInf", [("Rsn", [("Cd", change.reason)])])] if change.reason else []
    return (
        "TxInfAndSts",
        [
            ("StsId", f"{payment.number}-{change.state}"),
            ("OrgnlInstrId", payment.instr_id) if payment.instr_id else None,
            ("OrgnlEndToEndId", payment.end_to_end_id),
            ("OrgnlUETR", payment.uetr) if payment.uetr else None,
            ("TxSts", change.state),
            *reason,
            ("AccptncDtTm", utc_text(payment.at_ms)),
            ("AcctSvcrRef", f"P{payment.number:09d}"),
        ],
    )


def _groups(rows: Sequence[tuple[Payment, Change]]) -> list[str]:
    return list(dict.fromkeys(payment.pmt_inf_id for payment, _ in rows))


def _fill(parent: Any, namespace: str, children: Children) -> None:
    if children is None or isinstance(children, str):
        parent.text = children
        return
    child: Any
    for child in children:
        if child is not None:
            name, below, *attributes = child
            element = etree.SubElement(parent, f"{{{namespace}}}{name}", *attributes)
            _fill(element, namespace, below)


def _order(group: Any, one: Any) -> Order:
    amount = one.find("{*}Amt/{*}InstdAmt")
    return Order(
        pmt_inf_id=_text(group, "PmtInfId"),
        instr_id=_text(one, "PmtId/InstrId"),
        end_to_end_id=_text(one, "PmtId/EndToEndId"),
        uetr=_text(one, "PmtId/UETR"),
        debtor=_account(group, "DbtrAcct"),
        creditor=_account(one, "CdtrAcct"),
        creditor_name=_text(one, "Cdtr/Nm"),
        amount="" if amount is None else amount.text,
        ccy="" if amount is None else amount.get("Ccy"),
        day=_text(group, "ReqdExctnDt/Dt") or _text(group, "ReqdExctnDt/DtTm")[:10],
        text=" ".join(found.text or "" for found in _all(one, "RmtInf/Ustrd"))[:140],
    )


def _wrong(body: Any, orders: Sequence[Order]) -> str:
    """The reason that refuses the whole message: its own count or sum is not what it holds."""
    if int(_text(body, "GrpHdr/NbOfTxs")) != len(orders):
        return "AM18"
    said = _text(body, "GrpHdr/CtrlSum")
    if said and _sum(order.amount for order in orders) != _sum([said]):
        return "AM10"
    return ""


def _sum(amounts: Any) -> int:
    """In units of 10^-17, which hold every decimal of the schema."""
    total = 0
    for amount in amounts:
        whole, _, decimals = amount.strip().partition(".")
        total += int(whole or "0") * 10**17 + int(decimals[:17].ljust(17, "0"))
    return total


def _account(element: Any, where: str) -> str:
    return _text(element, f"{where}/Id/Othr/Id") or _text(element, f"{where}/Id/IBAN")


def _text(element: Any, path: str) -> str:
    return (element.findtext(_path(path)) or "").strip()


def _all(element: Any, path: str) -> list[Any]:
    return list(element.findall(_path(path)))


def _path(path: str) -> str:
    return "/".join(f"{{*}}{name}" for name in path.split("/"))


@lru_cache(maxsize=8)
def _schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / f"{name}.xsd"))
