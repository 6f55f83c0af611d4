// SPDX-License-Identifier: Apache-2.0
// Owns what must hold of Settlement's books after any row of acts, by honest operators and by one that lies. It refuses runs in
// which nothing happens.
pragma solidity ^0.8.24;

import {DepositRecord, Posted, Region, Stage} from "../settlement/SettlementTypes.sol";
import {Leaf} from "../settlement/SumTree.sol";
import {RegionActors} from "./RegionActors.sol";
import {RegionLedger} from "./RegionLedger.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

/// @notice As the runner asks which functions it may call.
struct FuzzSelector {
    address target;
    bytes4[] selectors;
}

abstract contract SettlementInvariants is SettlementFixture {
    RegionActors internal actors;

    function _mayLie() internal pure virtual returns (bool);

    function setUp() public override {
        super.setUp();
        actors = new RegionActors(settlement, quote, ledger, otherLedger, _mayLie());
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actors);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0] = FuzzSelector(address(actors), new bytes4[](1));
        selectors[0].selectors[0] = RegionActors.act.selector;
    }

    /// @dev One campaign for all of it: each invariant of its own would run every act again.
    function invariant_books() external view {
        _checkBalance();
        _eachRegion(_checkPaid);
        _checkMinted();
        _eachRegion(_checkRewards);
        _checkMore();
    }

    /// @dev All that is in the contract is some region's, and all that was put in and not paid out is in the contract.
    function _checkBalance() private view {
        uint256 holdings = settlement.holdingsOf(REGION) + settlement.holdingsOf(OTHER_REGION);
        VM.assertEq(quote.balanceOf(address(settlement)), holdings);
        uint256 inside = 0;
        for (uint256 account = 0; account < actors.ACCOUNTS(); ++account) {
            inside += actors.received(actors.accountOf(account));
        }
        VM.assertEq(inside, _deposited() - holdings, "paid otherwise than received");
    }

    /// @dev At the end everybody leaves.
    function afterInvariant() external {
        VM.warp(block.timestamp + EXIT_AFTER + DELAY + 1);
        for (uint256 which = 0; which < 2; ++which) {
            for (uint256 account = 0; account < actors.ACCOUNTS(); ++account) {
                actors.exit(which, account);
            }
            RegionLedger told = actors.ledgers(which);
            uint256 count = settlement.regionOf(told.region()).depositCount;
            for (uint256 index = 1; index <= count; ++index) {
                actors.refund(which, index - 1);
            }
            if (count != 0) _checkAfterAll(told);
        }
        // A run that failed and was shortened is not held to this: it would hide what failed.
        if (actors.acts() < 200) return;
        VM.assertGt(actors.done("deposit"), 0, "nothing was deposited");
        VM.assertGt(actors.done("report"), 0, "nothing was reported");
    }

    function _checkMore() internal view virtual;

    function _checkAfterAll(RegionLedger told) internal view virtual;

    function _eachRegion(function(RegionLedger, Region memory) internal view check) internal view {
        check(ledger, settlement.regionOf(REGION));
        check(otherLedger, settlement.regionOf(OTHER_REGION));
    }

    function _checkMinted() private view {
        uint256 paid = settlement.regionOf(REGION).paidRewards + settlement.regionOf(OTHER_REGION).paidRewards;
        VM.assertEq(rewards.totalSupply(), paid);
    }

    /// @dev Paid and held never pass what was deposited; deposits that no report counted are never paid to a leaf.
    function _checkPaid(RegionLedger told, Region memory books) private view {
        uint64 last = actors.lastFinal(told);
        uint256 counted = actors.countedIn(told, last);
        (DepositRecord memory record,,) = settlement.depositOf(told.region(), counted);
        VM.assertLe(books.paidMicros, record.depositedMicros, "paid beyond what was counted");
        VM.assertLe(books.refundedMicros, books.depositedMicros - record.depositedMicros, "refunded what was counted");
        if (books.stage == Stage.Exiting || last < books.firstEpoch) return;
        Posted memory posted = settlement.reportOf(told.region(), last);
        VM.assertLe(books.paidMicros, posted.totals.withdrawalsMicros, "paid beyond what was asked for");
    }

    function _checkRewards(RegionLedger told, Region memory books) private view {
        uint64 last = actors.lastFinal(told);
        if (last < books.firstEpoch) VM.assertEq(books.paidRewards, 0);
        else VM.assertLe(books.paidRewards, settlement.reportOf(told.region(), last).totals.rewards);
        // A tenth less every epoch: never more than ten of the first, whatever is claimed.
        VM.assertLe(books.paidRewards, 10 * uint256(EMISSION));
    }

    function _deposited() private view returns (uint256) {
        return settlement.regionOf(REGION).depositedMicros + settlement.regionOf(OTHER_REGION).depositedMicros;
    }
}

contract HonestSettlementInvariants is SettlementInvariants {
    function _mayLie() internal pure override returns (bool) {
        return false;
    }

    function _checkMore() internal view override {
        _eachRegion(_checkClaims);
        _eachRegion(_checkAccounts);
    }

    function _checkAfterAll(RegionLedger told) internal view override {
        VM.assertEq(settlement.holdingsOf(told.region()), 0, "something stayed behind");
    }

    /// @dev Whoever may take what, by the last final report and the deposits behind it, adds up to what is here.
    function _checkClaims(RegionLedger told, Region memory books) private view {
        uint64 last = actors.lastFinal(told);
        uint256 claimable = 0;
        Leaf[] memory leaves = last < books.firstEpoch ? new Leaf[](0) : told.leavesOf(last);
        for (uint256 index = 0; index < leaves.length; ++index) {
            claimable += leaves[index].sums.withdrawalsMicros + leaves[index].sums.heldMicros;
            claimable -= settlement.paidOf(told.region(), leaves[index].account).micros;
        }
        for (uint256 index = actors.countedIn(told, last) + 1; index <= books.depositCount; ++index) {
            (DepositRecord memory record, uint256 amountMicros,) = settlement.depositOf(told.region(), index);
            if (record.account != address(0)) claimable += amountMicros;
        }
        VM.assertEq(claimable, settlement.holdingsOf(told.region()));
    }

    /// @dev Nobody is paid twice: never more than the ledger says that the account asked for, or held when it left.
    function _checkAccounts(RegionLedger told, Region memory books) private view {
        for (uint256 account = 0; account < actors.ACCOUNTS(); ++account) {
            Leaf memory leaf = told.leafOf(actors.accountOf(account));
            uint256 paidMicros = settlement.paidOf(told.region(), leaf.account).micros;
            uint256 mostMicros = leaf.sums.withdrawalsMicros;
            if (books.stage == Stage.Exiting) mostMicros = _heldAtExit(told, books.finalEpoch, leaf.account);
            VM.assertLe(paidMicros, mostMicros);
        }
    }

    function _heldAtExit(RegionLedger told, uint64 epoch, address account) private view returns (uint256) {
        Leaf[] memory leaves = told.leavesOf(epoch);
        uint256 number = told.numberOf(account);
        if (number == 0 || number > leaves.length) return 0;
        return leaves[number - 1].sums.withdrawalsMicros + leaves[number - 1].sums.heldMicros;
    }
}

contract LyingSettlementInvariants is SettlementInvariants {
    function _mayLie() internal pure override returns (bool) {
        return true;
    }

    function _checkMore() internal view override {}

    /// @dev Whatever was reported, uncounted deposits came back, and the region paid no more than it had.
    function _checkAfterAll(RegionLedger told) internal view override {
        Region memory books = settlement.regionOf(told.region());
        (DepositRecord memory record,,) =
            settlement.depositOf(told.region(), actors.countedIn(told, actors.lastFinal(told)));
        VM.assertEq(books.refundedMicros, books.depositedMicros - record.depositedMicros);
    }
}
