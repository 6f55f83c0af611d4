// SPDX-License-Identifier: Apache-2.0
// Owns what people do to two regions in the invariant runs: one call, one act, whatever the draws say. It refuses acts that
// make no sense yet by doing nothing; where the contract must refuse one, it checks that it does.
pragma solidity ^0.8.24;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Settlement} from "../settlement/Settlement.sol";
import {DepositRecord, Region, Report, Stage} from "../settlement/SettlementTypes.sol";
import {Leaf, Path, Sums} from "../settlement/SumTree.sol";
import {TestQuote} from "../tokens/TestQuote.sol";
import {Cheats} from "./Cheats.sol";
import {RegionLedger} from "./RegionLedger.sol";

contract RegionActors is Cheats {
    uint256 public constant ACCOUNTS = 4;
    address private constant OWNER = address(0x0a);
    address private constant GUARDIAN = address(0x0b);
    address private constant OPERATOR = address(0x0c);

    Settlement public immutable settlement;
    TestQuote public immutable quote;
    /// Whether the operator may give one account what is another's.
    bool public immutable mayLie;
    RegionLedger[2] public ledgers;
    /// Money that came back to an account, of all regions.
    mapping(address account => uint256) public received;
    /// How often each act did something, so that runs in which nothing happens are seen.
    mapping(string act => uint256) public done;

    /// Acts asked for, whether or not they did something.
    uint256 public acts;
    mapping(uint256 which => mapping(uint256 epoch => Report)) private _drafts;
    mapping(uint256 which => uint64) private _lastDrafted;
    mapping(bytes32 region => mapping(uint256 index => bool)) private _isRefunded;

    constructor(Settlement settlement_, TestQuote quote_, RegionLedger here, RegionLedger there, bool mayLie_) {
        (settlement, quote, mayLie) = (settlement_, quote_, mayLie_);
        ledgers = [here, there];
    }

    /// @notice One act. What happens often in a region's life happens often here: the draw is hashed, because the runner likes
    /// some numbers better than others.
    function act(uint256 draw) external {
        draw = uint256(keccak256(abi.encode(draw, ++acts)));
        (uint256 kind, uint256 which) = (draw % 32, (draw >> 8) % 2);
        (uint256 one, uint256 other, uint256 amount) = ((draw >> 16) % 2 ** 16, (draw >> 32) % 2 ** 16, draw >> 64);
        if (kind < 5) _deposit(which, one, other, amount);
        else if (kind < 8) _trade(which, one, other, amount);
        else if (kind < 13) _moveOut(which, one, amount);
        else if (kind < 15) _earn(which, one, amount);
        else if (kind < 21) _report(which, amount % 2 == 0);
        else if (kind < 24) _withdraw(which, one, other);
        else if (kind < 26) _claimRewards(which, one, other);
        else if (kind < 27) _wait(amount);
        else if (kind < 30) _decide(which, one);
        else if (kind < 31) _lie(which, one, other);
        else if (amount % 4 == 0) exit(which, one);
        else if (amount % 4 == 1) refund(which, one);
        else _freeze(which, one);
    }

    function accountOf(uint256 draw) public pure returns (address) {
        return address(SafeCast.toUint160(0xacc0 + draw % ACCOUNTS));
    }

    function _deposit(uint256 which, uint256 payer, uint256 account, uint256 amountMicros) private {
        (RegionLedger told, bytes32 region, Region memory books) = _pick(which);
        if (books.stage != Stage.Open || settlement.isExitOpen(region)) return;
        amountMicros = _within(amountMicros, 1_000_000, 1_000_000_000);
        address from = accountOf(payer);
        quote.mint(from, amountMicros);
        VM.startPrank(from);
        quote.approve(address(settlement), amountMicros);
        settlement.deposit(region, accountOf(account), amountMicros);
        VM.stopPrank();
        if (account % 3 == 0) told.creditAll();
        ++done["deposit"];
    }

    function _trade(uint256 which, uint256 from, uint256 to, uint256 amountMicros) private {
        (RegionLedger told,,) = _pick(which);
        uint64 heldMicros = told.leafOf(accountOf(from)).sums.heldMicros;
        told.trade(accountOf(from), accountOf(to), SafeCast.toUint64(_within(amountMicros, 0, heldMicros)));
    }

    /// @notice A withdrawal out of the ledger, which the region refuses above the cap.
    function _moveOut(uint256 which, uint256 account, uint256 amountMicros) private {
        (RegionLedger told, bytes32 region, Region memory books) = _pick(which);
        if (books.reportedEpoch != _drafted(which, books)) return;
        while (told.leafOf(accountOf(account)).sums.heldMicros == 0 && account % 7 != 6) account = (account + 1) % 7;
        (uint256 capMicros,) = settlement.allowanceOf(region, told.credited());
        uint256 askedMicros = told.totals().withdrawalsMicros - _lastTotals(region, books).withdrawalsMicros;
        uint256 heldMicros = told.leafOf(accountOf(account)).sums.heldMicros;
        uint256 mostMicros = capMicros - askedMicros < heldMicros ? capMicros - askedMicros : heldMicros;
        told.moveOut(accountOf(account), SafeCast.toUint64(_within(amountMicros, 0, mostMicros)));
        ++done["moveOut"];
    }

    function _earn(uint256 which, uint256 account, uint256 amount) private {
        (RegionLedger told, bytes32 region, Region memory books) = _pick(which);
        if (books.reportedEpoch != _drafted(which, books)) return;
        (, uint256 emission) = settlement.allowanceOf(region, told.credited());
        uint256 earned = told.totals().rewards - _lastTotals(region, books).rewards;
        told.earn(accountOf(account), SafeCast.toUint128(_within(amount, 0, emission - earned)));
    }

    function _lie(uint256 which, uint256 from, uint256 to) private {
        (RegionLedger told,,) = _pick(which);
        if (!mayLie || accountOf(from) == accountOf(to)) return;
        Sums memory sums = told.leafOf(accountOf(from)).sums;
        Sums memory others = told.leafOf(accountOf(to)).sums;
        others.withdrawalsMicros += sums.withdrawalsMicros;
        others.heldMicros += sums.heldMicros;
        others.rewards += sums.rewards;
        told.forge(accountOf(to), others);
        told.forge(accountOf(from), Sums(0, 0, 0));
        ++done["lie"];
    }

    /// @notice Reports the next epoch at its end or later; one that a release dropped is posted as it was.
    function _report(uint256 which, bool creditsAll) private {
        (RegionLedger told, bytes32 region, Region memory books) = _pick(which);
        if (books.stage != Stage.Open) return;
        uint64 epoch = books.reportedEpoch + 1;
        uint256 endS = (epoch + 1) * 1 days;
        if (epoch > _drafted(which, books)) {
            if (creditsAll) told.creditAll();
            else _creditOld(told, region, books, endS);
            _drafts[which % 2][epoch] = told.draft();
            _lastDrafted[which % 2] = epoch;
            told.remember(epoch);
        }
        if (block.timestamp < endS) VM.warp(endS);
        VM.prank(OPERATOR);
        settlement.report(region, _drafts[which % 2][epoch]);
        ++done["report"];
    }

    function _wait(uint256 seconds_) private {
        VM.warp(block.timestamp + _within(seconds_, 0, 2 days));
    }

    function _withdraw(uint256 which, uint256 account, uint256 back) private {
        (RegionLedger told, bytes32 region, Region memory books) = _pick(which);
        uint64 epoch = _epochBack(which, books, back);
        while (told.leafOf(accountOf(account)).sums.withdrawalsMicros == 0 && account % 7 != 6) {
            account = (account + 1) % 7;
        }
        if (!_isShown(told, epoch, account)) return;
        (Leaf memory leaf, Path memory path) = told.claimOf(epoch, accountOf(account));
        uint256 paidMicros = settlement.paidOf(region, leaf.account).micros;
        bool isDue = settlement.isFinal(region, epoch) && books.stage != Stage.Exiting
            && leaf.sums.withdrawalsMicros > paidMicros && epoch <= books.reportedEpoch;
        try settlement.withdraw(region, epoch, leaf, path) returns (uint256 amountMicros) {
            VM.assertTrue(isDue, "paid what was not due");
            VM.assertEq(amountMicros, leaf.sums.withdrawalsMicros - paidMicros);
            received[leaf.account] += amountMicros;
            ++done["withdraw"];
        } catch {
            VM.assertTrue(mayLie || !isDue, "refused what was due");
        }
    }

    function _claimRewards(uint256 which, uint256 account, uint256 back) private {
        (RegionLedger told, bytes32 region, Region memory books) = _pick(which);
        uint64 epoch = _epochBack(which, books, back);
        if (!_isShown(told, epoch, account)) return;
        (Leaf memory leaf, Path memory path) = told.claimOf(epoch, accountOf(account));
        bool isDue = settlement.isFinal(region, epoch) && epoch <= books.reportedEpoch
            && leaf.sums.rewards > settlement.paidOf(region, leaf.account).rewards;
        try settlement.claimRewards(region, epoch, leaf, path) {
            VM.assertTrue(isDue, "minted what was not due");
            ++done["claimRewards"];
        } catch {
            VM.assertTrue(mayLie || !isDue, "refused what was due");
        }
    }

    function _freeze(uint256 which, uint256 back) private {
        (, bytes32 region, Region memory books) = _pick(which);
        uint64 epoch = books.reportedEpoch - SafeCast.toUint64(back % 2);
        if (books.stage != Stage.Open || epoch > books.reportedEpoch || settlement.isFinal(region, epoch)) return;
        VM.prank(GUARDIAN);
        settlement.freeze(region, epoch);
        ++done["freeze"];
    }

    function _decide(uint256 which, uint256 draw) private {
        (, bytes32 region, Region memory books) = _pick(which);
        if (books.stage != Stage.Frozen) return;
        VM.startPrank(OWNER);
        if (draw % 16 == 0) settlement.uphold(region);
        else settlement.release(region);
        VM.stopPrank();
        ++done["decide"];
    }

    function exit(uint256 which, uint256 account) public {
        (RegionLedger told, bytes32 region,) = _pick(which);
        uint64 epoch = lastFinal(told);
        if (!_isShown(told, epoch, account)) return;
        (Leaf memory leaf, Path memory path) = told.claimOf(epoch, accountOf(account));
        uint256 owedMicros = uint256(leaf.sums.withdrawalsMicros) + leaf.sums.heldMicros;
        bool isDue = settlement.isExitOpen(region) && owedMicros > settlement.paidOf(region, leaf.account).micros;
        try settlement.exit(region, epoch, leaf, path) returns (uint256 amountMicros) {
            VM.assertTrue(isDue, "left without reason");
            received[leaf.account] += amountMicros;
            ++done["exit"];
        } catch {
            VM.assertTrue(mayLie || !isDue, "not let go");
        }
    }

    function refund(uint256 which, uint256 index) public {
        (RegionLedger told, bytes32 region, Region memory books) = _pick(which);
        if (!settlement.isExitOpen(region) || books.depositCount == 0) return;
        index = _within(index, 1, books.depositCount);
        uint64 epoch = lastFinal(told);
        (DepositRecord memory record, uint256 amountMicros,) = settlement.depositOf(region, index);
        bool isDue = index > countedIn(told, epoch) && !_isRefunded[region][index];
        try settlement.refundDeposit(region, epoch, index) {
            VM.assertTrue(isDue, "paid back what was counted, or twice");
            _isRefunded[region][index] = true;
            received[record.account] += amountMicros;
            ++done["refund"];
        } catch {
            VM.assertFalse(isDue);
        }
    }

    /// @notice The last final epoch; the one before the first where there is none.
    function lastFinal(RegionLedger told) public view returns (uint64 epoch) {
        epoch = settlement.regionOf(told.region()).finalEpoch;
        while (settlement.isFinal(told.region(), epoch + 1)) ++epoch;
    }

    /// @notice Index of the last deposit that an epoch's report counted.
    function countedIn(RegionLedger told, uint64 epoch) public view returns (uint256) {
        if (epoch < settlement.regionOf(told.region()).firstEpoch) return 0;
        return settlement.reportOf(told.region(), epoch).lastDeposit;
    }

    function _pick(uint256 which) private view returns (RegionLedger told, bytes32 region, Region memory books) {
        told = ledgers[which % 2];
        region = told.region();
        books = settlement.regionOf(region);
    }

    /// @dev The last epoch that was ever drafted; a release may have dropped its report.
    function _drafted(uint256 which, Region memory books) private view returns (uint64) {
        uint64 epoch = _lastDrafted[which % 2];
        return epoch == 0 ? books.firstEpoch - 1 : epoch;
    }

    function _lastTotals(bytes32 region, Region memory books) private view returns (Sums memory totals) {
        if (books.reportedEpoch >= books.firstEpoch) totals = settlement.reportOf(region, books.reportedEpoch).totals;
    }

    /// @dev Credits what a report of an epoch must count, and no more.
    function _creditOld(RegionLedger told, bytes32 region, Region memory books, uint256 endS) private {
        for (uint256 next = told.credited() + 1; next <= books.depositCount; ++next) {
            (DepositRecord memory record,,) = settlement.depositOf(region, next);
            if (record.atS > endS - 7 days) return;
            told.creditThrough(next);
        }
    }

    /// @dev Mostly an epoch that is final, sometimes the last one drafted.
    function _epochBack(uint256 which, Region memory books, uint256 back) private view returns (uint64) {
        if (back % 4 == 0) return _drafted(which, books);
        uint64 epoch = lastFinal(ledgers[which]);
        return back % 4 == 1 && epoch > books.firstEpoch ? epoch - 1 : epoch;
    }

    function _isShown(RegionLedger told, uint64 epoch, uint256 account) private view returns (bool) {
        uint256 number = told.numberOf(accountOf(account));
        return number != 0 && number <= told.leavesOf(epoch).length;
    }
}
