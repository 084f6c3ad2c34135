"""Messages of an account as the venue documents them."""

from __future__ import annotations

import json
from typing import Any

LISTED_EXECUTIONS: dict[str, Any] = json.loads("""
{"retCode":0,"retMsg":"OK","result":{"nextPageCursor":"132766%3A2%2C132766%3A2",
"category":"linear","list":[{"symbol":"ETHPERP","orderType":"Market","underlyingPrice":"",
"orderLinkId":"","side":"Buy","indexPrice":"","orderId":"8c065341-7b52-4ca9-ac2c-37e31ac55c94",
"stopOrderType":"UNKNOWN","leavesQty":"0","execTime":"1672282722429","feeCurrency":"",
"isMaker":false,"execFee":"0.071409","feeRate":"0.0006",
"execId":"e0cbe81d-0f18-5866-9415-cf319b5dab3b","tradeIv":"","blockTradeId":"",
"markPrice":"1183.54","execPrice":"1190.15","markIv":"","orderQty":"0.1","orderPrice":"1236.9",
"execValue":"119.015","execType":"Trade","execQty":"0.1","closedSize":"","extraFees":"",
"seq":4688002127}]},"retExtInfo":{},"time":1672283754510}
""")

PUSHED_EXECUTION: dict[str, Any] = json.loads("""
{"topic":"execution","id":"386825804_BTCUSDT_140612148849382","creationTime":1746270400355,
"data":[{"category":"linear","symbol":"BTCUSDT","closedSize":"0.5","execFee":"26.3725275",
"execId":"0ab1bdf7-4219-438b-b30a-32ec863018f7","execPrice":"95900.1","execQty":"0.5",
"execType":"Trade","execValue":"47950.05","feeRate":"0.00055","tradeIv":"","markIv":"",
"blockTradeId":"","markPrice":"95901.48","indexPrice":"","underlyingPrice":"","leavesQty":"0",
"orderId":"9aac161b-8ed6-450d-9cab-c5cc67c21784","orderLinkId":"","orderPrice":"94942.5",
"orderQty":"0.5","orderType":"Market","stopOrderType":"UNKNOWN","side":"Sell",
"execTime":"1746270400353","isLeverage":"0","isMaker":false,"seq":140612148849382,
"marketUnit":"","execPnl":"0.05","createType":"CreateByUser","extraFees":[{"feeCoin":"USDT",
"feeType":"GST","subFeeType":"IND_GST","feeRate":"0.0000675","fee":"0.006403779"}],
"feeCurrency":"USDT"}]}
""")

PUSHED_POSITION: dict[str, Any] = json.loads("""
{"id":"1003076014fb7eedb-c7e6-45d6-a8c1-270f0169171a","topic":"position",
"creationTime":1697682317044,"data":[{"positionIdx":2,"tradeMode":0,"riskId":1,
"riskLimitValue":"2000000","symbol":"BTCUSDT","side":"","size":"0","entryPrice":"0",
"leverage":"10","breakEvenPrice":"93556.73034991","positionValue":"0","positionBalance":"0",
"markPrice":"28184.5","positionIM":"0","positionIMByMp":"0","positionMM":"0",
"positionMMByMp":"0","takeProfit":"0","stopLoss":"0","trailingStop":"0","unrealisedPnl":"0",
"curRealisedPnl":"1.26","cumRealisedPnl":"-25.06579337","sessionAvgPrice":"0",
"createdTime":"1694402496913","updatedTime":"1697682317038","tpslMode":"Full","liqPrice":"0",
"bustPrice":"","category":"linear","positionStatus":"Normal","adlRankIndicator":0,
"autoAddMargin":0,"leverageSysUpdatedTime":"","mmrSysUpdatedTime":"","seq":8327597863,
"isReduceOnly":false}]}
""")

PUSHED_WALLET: dict[str, Any] = json.loads("""
{"id":"592324d2bce751-ad38-48eb-8f42-4671d1fb4d4e","topic":"wallet",
"creationTime":1700034722104,"data":[{"accountIMRate":"0","accountIMRateByMp":"0",
"accountMMRate":"0","accountMMRateByMp":"0","totalEquity":"10262.91335023",
"totalWalletBalance":"9684.46297164","totalMarginBalance":"9684.46297164",
"totalAvailableBalance":"9556.6056555","totalPerpUPL":"0","totalInitialMargin":"0",
"totalInitialMarginByMp":"0","totalMaintenanceMargin":"0","totalMaintenanceMarginByMp":"0",
"coin":[{"coin":"BTC","equity":"0.00102964","usdValue":"36.70759517",
"walletBalance":"0.00102964","availableToWithdraw":"0.00102964","availableToBorrow":"",
"borrowAmount":"0","accruedInterest":"0","totalOrderIM":"","totalPositionIM":"",
"totalPositionMM":"","unrealisedPnl":"0","cumRealisedPnl":"-0.00000973","bonus":"0",
"collateralSwitch":true,"marginCollateral":true,"locked":"0","spotHedgingQty":"0.01592413",
"spotBorrow":"0"}],"accountLTV":"0","accountType":"UNIFIED"}]}
""")

LISTED_POSITIONS: dict[str, Any] = json.loads("""
{"retCode":0,"retMsg":"OK","result":{"list":[{"positionIdx":0,"riskId":1,"riskLimitValue":"150",
"symbol":"BTCUSD","side":"Sell","size":"300","avgPrice":"27464.50441675",
"positionValue":"0.01092319","tradeMode":0,"positionStatus":"Normal","autoAddMargin":1,
"adlRankIndicator":2,"leverage":"10","breakEvenPrice":"93556.73034991",
"positionBalance":"0.00139186","markPrice":"28224.50","liqPrice":"","bustPrice":"999999.00",
"positionMM":"0.0000015","positionMMByMp":"0.0000015","positionIM":"0.00010923",
"positionIMByMp":"0.00010923","tpslMode":"Full","takeProfit":"0.00","stopLoss":"0.00",
"trailingStop":"0.00","unrealisedPnl":"-0.00029413","curRealisedPnl":"0.00013123",
"cumRealisedPnl":"-0.00096902","seq":5723621632,"isReduceOnly":false,"mmrSysUpdateTime":"",
"leverageSysUpdatedTime":"","sessionAvgPrice":"","createdTime":"1676538056258",
"updatedTime":"1697673600012"}],"nextPageCursor":"","category":"inverse"},"retExtInfo":{},
"time":1697684980172}
""")

# Funding rows as accounts have really seen them: a long that was paid, a short that was paid.
FUNDING_LONG: dict[str, Any] = {
    "category": "linear",
    "symbol": "VETUSDT",
    "side": "Buy",
    "execType": "Funding",
    "orderType": "UNKNOWN",
    "execId": "f1",
    "execQty": "932",
    "execPrice": "0.01565",
    "feeRate": "-0.00000383",
    "execFee": "-0.00005586",
    "execValue": "14.5858",
    "closedSize": "0",
    "feeCurrency": "USDT",
    "orderId": "",
    "orderLinkId": "",
    "execTime": "1696118400000",
    "isMaker": False,
    "markPrice": "0.01565",
    "seq": 1,
}
FUNDING_SHORT: dict[str, Any] = {
    **FUNDING_LONG,
    "symbol": "XMRUSDT",
    "side": "Sell",
    "execId": "f2",
    "execQty": "0.98",
    "execPrice": "137.11",
    "feeRate": "-0.000761",
    "execFee": "-0.10232512",
    "execValue": "134.3678",
    "feeCurrency": "",
}
