// SPDX-License-Identifier: Apache-2.0
// Owns the whole of what may be asked of Settlement, in one type. It refuses to add anything to its parts.
pragma solidity ^0.8.24;

import {IClaims} from "./IClaims.sol";
import {IDeposits} from "./IDeposits.sol";
import {IExits} from "./IExits.sol";
import {IRegions} from "./IRegions.sol";
import {IReports} from "./IReports.sol";

/// @title Where a region's money is
/// @notice Deposits come in, the region trades with them in its ledger, and what it reports goes out again. Regions share a
/// contract and a quote asset, and nothing else: none can take what another holds.
interface ISettlement is IRegions, IDeposits, IReports, IClaims, IExits {}
