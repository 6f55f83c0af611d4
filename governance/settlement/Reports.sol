// SPDX-License-Identifier: Apache-2.0
// Owns what the region says of itself, and when that counts. It refuses a report that is out of order, early, out of balance,
// about other deposits, or above what may leave or be minted.
pragma solidity ^0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Deposits} from "./Deposits.sol";
import {IReports} from "./IReports.sol";
import {Limits, Posted, Region, Report, Stage, Terms} from "./SettlementTypes.sol";
import {Sums} from "./SumTree.sol";

/// @title Epoch reports; assumptions stand on `IReports`
abstract contract Reports is Deposits, IReports {
    /// @inheritdoc IReports
    function report(bytes32 region, Report calldata report_) external {
        Region storage books = _booksOf(region);
        if (msg.sender != books.operator) revert Settlement_NotOperator(msg.sender);
        if (books.stage != Stage.Open) revert Settlement_RegionNotOpen(region);
        uint256 epoch = report_.epoch;
        if (epoch != books.reportedEpoch + 1) revert Settlement_ReportOutOfOrder(epoch, books.reportedEpoch + 1);
        uint256 endS = (epoch + 1) * _epochSeconds(books);
        if (block.timestamp < endS) revert Settlement_EpochNotOver(epoch, endS);

        Posted storage last = _reports[region][epoch - 1];
        uint256 version = _versionAfter(region, last.version, epoch);
        Terms storage terms = _terms[region][version];
        uint256 emission = version == last.version ? last.nextEmission : terms.emissionPerEpoch;
        _requireDeposits(region, report_, last, Math.saturatingSub(endS, terms.exitAfterSeconds), books.depositCount);
        _requireMoney(region, report_, last.totals, terms.outflowCapBps);
        _requireRewards(report_.totals.rewards, last.totals.rewards, emission);

        // Terms with a shorter delay must not make a report final before the one it rests on.
        uint256 finalAtS = Math.max(block.timestamp + terms.finalityDelaySeconds, last.finalAtS);
        _reports[region][epoch] = Posted({
            sumRoot: report_.sumRoot,
            totals: report_.totals,
            nextEmission: SafeCast.toUint128(emission * (Limits.BPS - terms.emissionDecayBps) / Limits.BPS),
            finalAtS: SafeCast.toUint40(finalAtS),
            lastDeposit: report_.lastDeposit,
            version: SafeCast.toUint40(version),
            certificateRoot: report_.certificateRoot,
            digest: keccak256(abi.encode(region, report_))
        });
        books.reportedEpoch = report_.epoch;
        books.aliveAtS = SafeCast.toUint40(block.timestamp);
        emit Reported(region, epoch, report_, finalAtS);
    }

    /// @inheritdoc IReports
    function freeze(bytes32 region, uint256 epoch) external {
        if (msg.sender != guardian) revert Settlement_NotGuardian(msg.sender);
        Region storage books = _booksOf(region);
        if (books.stage != Stage.Open && books.stage != Stage.Frozen) revert Settlement_RegionNotOpen(region);
        if (epoch > books.reportedEpoch) revert Settlement_EpochNotReported(epoch);
        // A later epoch than the frozen one is frozen already, an earlier one may turn out to be wrong as well.
        if (books.stage == Stage.Frozen && epoch >= books.frozenEpoch) revert Settlement_RegionNotOpen(region);
        if (_isFinal(region, books, epoch)) revert Settlement_EpochFinal(epoch);
        books.stage = Stage.Frozen;
        books.frozenEpoch = SafeCast.toUint64(epoch);
        emit EpochFrozen(region, epoch);
    }

    /// @inheritdoc IReports
    function release(bytes32 region) external onlyOwner {
        Region storage books = _booksOf(region);
        if (books.stage != Stage.Frozen) revert Settlement_NotFrozen(region);
        uint64 epoch = books.frozenEpoch;
        emit FreezeReleased(region, epoch, books.reportedEpoch);
        books.stage = Stage.Open;
        books.frozenEpoch = 0;
        books.finalEpoch = epoch;
        books.reportedEpoch = epoch;
        // It could not report meanwhile, and must catch up now.
        books.aliveAtS = SafeCast.toUint40(block.timestamp);
        books.releasedAtS = books.aliveAtS;
    }

    /// @inheritdoc IReports
    function uphold(bytes32 region) external onlyOwner {
        Region storage books = _booksOf(region);
        if (books.stage != Stage.Frozen) revert Settlement_NotFrozen(region);
        books.stage = Stage.Upheld;
        emit FreezeUpheld(region, books.frozenEpoch);
    }

    /// @inheritdoc IReports
    function isFinal(bytes32 region, uint256 epoch) external view returns (bool) {
        return _isFinal(region, _booksOf(region), epoch);
    }

    /// @inheritdoc IReports
    function reportOf(bytes32 region, uint256 epoch) external view returns (Posted memory) {
        Region storage books = _booksOf(region);
        if (epoch < books.firstEpoch || epoch > books.reportedEpoch) revert Settlement_EpochNotReported(epoch);
        return _reports[region][epoch];
    }

    /// @inheritdoc IReports
    function allowanceOf(bytes32 region, uint256 lastDeposit)
        external
        view
        returns (uint256 outflowMicros, uint256 emission)
    {
        Region storage books = _booksOf(region);
        Posted storage last = _reports[region][books.reportedEpoch];
        if (lastDeposit < last.lastDeposit || lastDeposit > books.depositCount) {
            revert Settlement_DepositsUnknown(lastDeposit, _depositsHash[region][lastDeposit]);
        }
        uint256 version = _versionAfter(region, last.version, books.reportedEpoch + 1);
        Terms storage terms = _terms[region][version];
        uint256 countedMicros = _deposits[region][lastDeposit].depositedMicros;
        outflowMicros = _outflowCap(countedMicros, last.totals.withdrawalsMicros, terms.outflowCapBps);
        return (outflowMicros, version == last.version ? last.nextEmission : terms.emissionPerEpoch);
    }

    function _isFinal(bytes32 region, Region storage books, uint256 epoch) internal view returns (bool) {
        // Also what is before the first report: nothing was owed then, and nobody may freeze it.
        if (epoch <= books.finalEpoch) return true;
        if (books.stage == Stage.Exiting || epoch > books.reportedEpoch) return false;
        if (books.frozenEpoch != 0 && epoch >= books.frozenEpoch) return false;
        return block.timestamp >= _reports[region][epoch].finalAtS;
    }

    /// @dev Epochs follow each other and versions begin in different epochs, so a report moves on by one version at most.
    function _versionAfter(bytes32 region, uint256 version, uint256 epoch) private view returns (uint256) {
        Terms[] storage all = _terms[region];
        bool isOver = version + 1 < all.length && all[version + 1].fromEpoch <= epoch;
        return isOver ? version + 1 : version;
    }

    /// @dev The deposits counted are those that were made, each once: their number never falls, and their hash is the chain's.
    /// The next one is too young to have been counted.
    function _requireDeposits(
        bytes32 region,
        Report calldata report_,
        Posted storage last,
        uint256 countedByS,
        uint256 depositCount
    ) private view {
        uint256 index = report_.lastDeposit;
        bool isKnown =
            index >= last.lastDeposit && index <= depositCount && _depositsHash[region][index] == report_.depositsHash;
        if (!isKnown) revert Settlement_DepositsUnknown(index, report_.depositsHash);
        bool isLeftOut = index < depositCount && _deposits[region][index + 1].atS <= countedByS;
        if (isLeftOut) revert Settlement_DepositLeftOut(index + 1);
    }

    function _requireMoney(bytes32 region, Report calldata report_, Sums storage last, uint256 capBps) private view {
        uint256 withdrawalsMicros = report_.totals.withdrawalsMicros;
        uint256 owedMicros = withdrawalsMicros + report_.totals.heldMicros;
        uint256 countedMicros = _deposits[region][report_.lastDeposit].depositedMicros;
        if (owedMicros != countedMicros) revert Settlement_OutOfBalance(owedMicros, countedMicros);
        uint256 beforeMicros = last.withdrawalsMicros;
        if (withdrawalsMicros < beforeMicros) revert Settlement_WithdrawalsFell(withdrawalsMicros, beforeMicros);
        uint256 outflowMicros = withdrawalsMicros - beforeMicros;
        uint256 capMicros = _outflowCap(countedMicros, beforeMicros, capBps);
        if (outflowMicros > capMicros) revert Settlement_AboveOutflowCap(outflowMicros, capMicros);
    }

    function _requireRewards(uint256 rewards, uint256 before, uint256 emission) private pure {
        if (rewards < before) revert Settlement_RewardsFell(rewards, before);
        if (rewards - before > emission) revert Settlement_AboveEmission(rewards - before, emission);
    }

    /// @dev A share of what the ledger would hold had nothing been withdrawn in the epoch: the region knows it at every moment
    /// (it only grows within an epoch), and refuses the withdrawal that would pass it. Rounded up, so
    /// that a region can be emptied to the last micro.
    function _outflowCap(uint256 countedMicros, uint256 withdrawnMicros, uint256 capBps)
        private
        pure
        returns (uint256)
    {
        return Math.ceilDiv((countedMicros - withdrawnMicros) * capBps, Limits.BPS);
    }
}
