"""A bank with books of its own: `weir sandbox bank`, or `python -m weir.sandbox.bank`.

Its books judge what Weir says it did. All times are the bank's clock, dates are New York's,
amounts US dollars with two decimals. Every path but those of `/sandbox` and `/login` asks for a
bearer token.

Login (OAuth2 client credentials)
    GET  /login/v1/sandbox/.well-known/openid-configuration     {token_endpoint, ...}
    POST /login/v1/sandbox/oidc/token      grant_type=client_credentials, Basic or in the body
                                           -> {access_token, token_type, expires_in}

Payments
    POST /payments/v1/initiations          body: pain.001.001.09 (application/xml), valid by its ISO
                                           schema; one or more transactions
    -> 200, pain.002.001.12 of this message: for each transaction TxSts
         ACCP accepted, money is held       ACSP settlement under way
         ACSC settled, the entry is booked  RJCT refused, StsRsnInf/Rsn/Cd says why
       and GrpSts of all together (PART where they differ)
    -> 400 {error, message}                 no pain.001 at all: nothing was kept
    GET  /payments/v1/initiations/{MsgId}          -> 200 pain.002 as it stands now, or 404
    GET  /payments/v1/transactions/{EndToEndId}    -> the same of one payment; 404: never seen

    Reasons: AM01 zero, AM02 over the limit, AM03 no US dollars, AM04 funds, AM10 control sum, AM12
    more than two decimals, AM18 number of transactions, AC02 debtor account, AC03 creditor account,
    DT01 execution date, TM01 after today's cut-off, DU01 this MsgId was sent before, DU04 this
    EndToEndId was sent before. A DU01 or DU04 speaks of the second message alone: what became of
    the first is asked by its EndToEndId. A repeated message is answered with DU01 whatever it says.

    An accepted payment is executed on its date if the bank is open then, else on the next day it
    is; with --at-once it is booked when it comes, and valued on that day. It is settled after
    --settle-ms. It may be rejected in between, and returned afterwards: the money comes back as a
    credit entry with the payment's EndToEndId, RvslInd true and reason.
    A payment between two accounts of the bank (a fund gives money back) moves it between them.
    What was placed in a fund with a term comes back by itself, with the placement's EndToEndId.

Accounts, as Finastra's corporate accounts: `?limit=&offset=`, amounts as text with thousands commas
    GET /corporate/channels/accounts/me/v1/accounts
    GET /corporate/channels/accounts/me/v1/accounts/{id}/balances
    GET /corporate/channels/accounts/me/v1/accounts/{id}/statement?fromDate=&toDate=

Statements: a mailbox of camt.052 (intraday) and camt.053 (prior day), oldest first
    GET /statements/v1/documents?after=N&limit=N      {items: [{id, type, account, created}], next}
    GET /statements/v1/documents/{id}                 the XML

For judges and stage directors, without a token
    GET  /sandbox/books                    accounts, entries, payments, whether it all adds up
    GET  /sandbox/flows/{account}          what customers moved on each open day that is stated, net
    GET, POST, DELETE /sandbox/faults      {path | "*", kind, times, delay_ms}: as at the venue
    POST /sandbox/entries                  {account, amount (signed), text?, end_to_end_id?, day?};
                                           an end_to_end_id that is there already enters nothing
    POST /sandbox/payments/{EndToEndId}/reject | return   {reason}
    POST /sandbox/plans                    {outcome: reject | return, reason, times}: for the next
    POST /sandbox/balances                 {account, told: fresh | stale | backwards |
                                            contradicting}
    POST /sandbox/documents                raw body: put into the mailbox as it is
    POST /sandbox/documents/{id}/again     the same bytes once more
    POST /sandbox/clock                    {advance_ms}: the bank's clock goes on
    POST /sandbox/tokens/forget            every token ends now
"""
