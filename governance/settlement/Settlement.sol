// SPDX-License-Identifier: Apache-2.0
// Owns the settlement contract: its parts put together for one quote asset. It refuses to be upgraded: another version is
// another address.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Deposits} from "./Deposits.sol";
import {Exits} from "./Exits.sol";
import {ISettlement} from "./ISettlement.sol";

/// @title Where a region's money is; promises and assumptions stand on the parts of `ISettlement`
contract Settlement is Exits, ISettlement {
    /// @param quote_ The asset that trades are paid in; six decimals.
    /// @param owner_ Who decides; a timelock, or who hands over to one.
    /// @param guardian_ Who may freeze an epoch until the owner decides; may be zero.
    constructor(IERC20Metadata quote_, address owner_, address guardian_) Ownable(owner_) Deposits(quote_) {
        _setGuardian(guardian_);
    }
}
