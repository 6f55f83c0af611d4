// SPDX-License-Identifier: Apache-2.0
// Owns money's way out of a running region, and the minting of rewards. It refuses a leaf that is not in a final report, and
// more in all than that report owes.
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IClaims} from "./IClaims.sol";
import {Reports} from "./Reports.sol";
import {Paid, Posted, Region, Stage} from "./SettlementTypes.sol";
import {Leaf, Path, SumTree} from "./SumTree.sol";

/// @title Withdrawals and rewards; assumptions stand on `IClaims`
abstract contract Claims is Reports, IClaims {
    using SafeERC20 for IERC20;

    /// @inheritdoc IClaims
    function withdraw(bytes32 region, uint256 epoch, Leaf calldata leaf, Path calldata path)
        external
        nonReentrant
        returns (uint256 amountMicros)
    {
        Region storage books = _booksOf(region);
        if (books.stage == Stage.Exiting) revert Settlement_LeaveByExit(books.finalEpoch);
        uint256 owedMicros = _restOnReport(region, books, epoch).totals.withdrawalsMicros;
        _requireLeaf(region, epoch, leaf, path);
        amountMicros = _payLeaf(region, books, leaf.account, leaf.sums.withdrawalsMicros, owedMicros);
        emit Withdrawn(region, leaf.account, epoch, amountMicros);
    }

    /// @inheritdoc IClaims
    function claimRewards(bytes32 region, uint256 epoch, Leaf calldata leaf, Path calldata path)
        external
        nonReentrant
        returns (uint256 amount)
    {
        if (address(rewardToken) == address(0)) revert Settlement_RewardTokenMissing();
        Region storage books = _booksOf(region);
        uint256 owed = _restOnReport(region, books, epoch).totals.rewards;
        _requireLeaf(region, epoch, leaf, path);
        Paid storage paid = _paid[region][leaf.account];
        amount = _unpaid(leaf.sums.rewards, paid.rewards);
        _requireOwed(books.paidRewards + amount, owed);
        paid.rewards = leaf.sums.rewards;
        books.paidRewards += SafeCast.toUint128(amount);
        rewardToken.mint(leaf.account, amount);
        emit RewardsClaimed(region, leaf.account, epoch, amount);
    }

    /// @inheritdoc IClaims
    function paidOf(bytes32 region, address account) external view returns (Paid memory) {
        return _paid[region][account];
    }

    /// @dev Notes that a report is final, and answers the newest one that is known to be. Its totals bound what is paid: those
    /// of an older report would refuse an account because others were paid against a newer one.
    function _restOnReport(bytes32 region, Region storage books, uint256 epoch) private returns (Posted storage) {
        if (!_isFinal(region, books, epoch)) revert Settlement_EpochNotFinal(epoch);
        if (epoch > books.finalEpoch) books.finalEpoch = SafeCast.toUint64(epoch);
        return _reports[region][books.finalEpoch];
    }

    function _requireLeaf(bytes32 region, uint256 epoch, Leaf calldata leaf, Path calldata path) internal view {
        Posted storage posted = _reports[region][epoch];
        SumTree.requireLeaf(posted.sumRoot, posted.totals, leaf, path);
    }

    /// @dev Pays the account up to what it is entitled to. All books are written before the money leaves.
    function _payLeaf(bytes32 region, Region storage books, address account, uint256 entitledMicros, uint256 owedMicros)
        internal
        returns (uint256 amountMicros)
    {
        Paid storage paid = _paid[region][account];
        amountMicros = _unpaid(entitledMicros, paid.micros);
        _requireOwed(books.paidMicros + amountMicros, owedMicros);
        paid.micros = SafeCast.toUint64(entitledMicros);
        books.paidMicros += SafeCast.toUint64(amountMicros);
        quote.safeTransfer(account, amountMicros);
    }

    function _unpaid(uint256 entitled, uint256 paid) private pure returns (uint256) {
        if (entitled <= paid) revert Settlement_NothingToClaim(entitled, paid);
        return entitled - paid;
    }

    function _requireOwed(uint256 wouldBePaid, uint256 owed) private pure {
        if (wouldBePaid > owed) revert Settlement_PaidTwice(wouldBePaid, owed);
    }
}
