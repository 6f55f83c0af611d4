// SPDX-License-Identifier: Apache-2.0
// Owns money's way out of a region that is over. It refuses a second report to leave by, and a deposit that is in a leaf.
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Claims} from "./Claims.sol";
import {IExits} from "./IExits.sol";
import {DepositRecord, Region, Stage} from "./SettlementTypes.sol";
import {Leaf, Path, Sums} from "./SumTree.sol";

/// @title Exit; assumptions stand on `IExits`
abstract contract Exits is Claims, IExits {
    using SafeERC20 for IERC20;

    /// @inheritdoc IExits
    function exit(bytes32 region, uint256 epoch, Leaf calldata leaf, Path calldata path)
        external
        nonReentrant
        returns (uint256 amountMicros)
    {
        Region storage books = _booksOf(region);
        _leaveBy(region, books, epoch);
        _requireLeaf(region, epoch, leaf, path);
        Sums storage totals = _reports[region][epoch].totals;
        uint256 entitledMicros = uint256(leaf.sums.withdrawalsMicros) + leaf.sums.heldMicros;
        uint256 owedMicros = uint256(totals.withdrawalsMicros) + totals.heldMicros;
        amountMicros = _payLeaf(region, books, leaf.account, entitledMicros, owedMicros);
        emit Exited(region, leaf.account, amountMicros);
    }

    /// @inheritdoc IExits
    function refundDeposit(bytes32 region, uint256 epoch, uint256 index)
        external
        nonReentrant
        returns (uint256 amountMicros)
    {
        Region storage books = _booksOf(region);
        _leaveBy(region, books, epoch);
        if (index <= _reports[region][epoch].lastDeposit) revert Settlement_DepositCounted(index);
        if (index > books.depositCount) revert Settlement_DepositUnknown(index);
        DepositRecord storage record = _deposits[region][index];
        address account = record.account;
        if (account == address(0)) revert Settlement_DepositRefundedBefore(index);
        amountMicros = _amountOf(region, index);
        record.account = address(0);
        books.refundedMicros += SafeCast.toUint64(amountMicros);
        emit DepositRefunded(region, index, account, amountMicros);
        quote.safeTransfer(account, amountMicros);
    }

    /// @inheritdoc IExits
    function isExitOpen(bytes32 region) external view returns (bool) {
        return _isExitOpen(region, _booksOf(region));
    }

    function _isExitOpen(bytes32 region, Region storage books) private view returns (bool) {
        return books.stage == Stage.Upheld || books.stage == Stage.Exiting || _isSilent(region, books);
    }

    /// @dev The first one fixes the report. Later ones must name it too: an account that thinks it leaves by another one is
    /// told so.
    function _leaveBy(bytes32 region, Region storage books, uint256 epoch) private {
        if (!_isExitOpen(region, books)) revert Settlement_ExitNotOpen(region);
        if (books.stage == Stage.Exiting) {
            if (epoch != books.finalEpoch) revert Settlement_OtherExitEpoch(books.finalEpoch);
            return;
        }
        bool isLast = _isFinal(region, books, epoch) && !_isFinal(region, books, epoch + 1);
        if (!isLast) revert Settlement_NotLastFinal(epoch);
        books.stage = Stage.Exiting;
        books.finalEpoch = SafeCast.toUint64(epoch);
        emit ExitBegan(region, epoch);
    }
}
