"""Bank statements for tests: those of others, where they lie beside the repository, and our own."""

from __future__ import annotations

from tests import tidy

FOLDER = tidy.ROOT.parent / "shared" / "data" / "camt"
NAMES = tuple(sorted(path.name for path in FOLDER.glob("*.xml")))
XMLNS = "urn:iso:std:iso:20022:tech:xsd:camt"


def balance(code: str, amount: str, mark: str = "CRDT", at: str = "<Dt>2026-01-05</Dt>") -> str:
    """A balance in US dollars."""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd><Dt>{at}</Dt></Bal>'
    )


def entry(amount: str, mark: str, ref: str | None = None, **more: str) -> str:
    """An entry in US dollars; more: ccy, status, end_to_end_id, reversal, details, and two days."""
    end_to_end_id = more.get("end_to_end_id")
    details = f"<TxDtls><Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs></TxDtls>"
    return (
        f'<Ntry><Amt Ccy="{more.get("ccy", "USD")}">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>'
        + (f"<RvslInd>{more['reversal']}</RvslInd>" if "reversal" in more else "")
        + f"<Sts><Cd>{more.get('status', 'BOOK')}</Cd></Sts>"
        + f"<BookgDt><Dt>{more.get('booked', '2026-01-05')}</Dt></BookgDt>"
        + (f"<ValDt><Dt>{more['valued']}</Dt></ValDt>" if "valued" in more else "")
        + (f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else "")
        + "<BkTxCd/>"
        + (f"<NtryDtls>{more.get('details', details)}</NtryDtls>" if more else "")
        + "</Ntry>"
    )


def statement(
    *parts: str, statement_id: str = "S1", account: str = "0123456789", paging: str = ""
) -> str:
    """One statement of camt.053.001.08."""
    return (
        f"<Stmt><Id>{statement_id}</Id>{paging}<CreDtTm>2026-01-06T11:00:00Z</CreDtTm>"
        f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>{''.join(parts)}</Stmt>"
    )


def camt053(*statements: str, msg_id: str = "M1") -> bytes:
    """A message of statements."""
    header = f"<GrpHdr><MsgId>{msg_id}</MsgId><CreDtTm>2026-01-06T11:00:00Z</CreDtTm></GrpHdr>"
    body = f"<BkToCstmrStmt>{header}{''.join(statements)}</BkToCstmrStmt>"
    return f'<Document xmlns="{XMLNS}.053.001.08">{body}</Document>'.encode()


def page(number: int, *, last: bool) -> str:
    """Which page a statement is."""
    ends = "true" if last else "false"
    return f"<StmtPgntn><PgNb>{number}</PgNb><LastPgInd>{ends}</LastPgInd></StmtPgntn>"
