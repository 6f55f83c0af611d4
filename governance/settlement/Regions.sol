// SPDX-License-Identifier: Apache-2.0
// Owns the books that every part of Settlement writes, and what the owner decides. It refuses terms out of bounds or without
// notice, and a region without an operator.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRewardToken} from "../tokens/IRewardToken.sol";
import {IRegionList, IRegions} from "./IRegions.sol";
import {RegionNames} from "./RegionNames.sol";
import {DepositRecord, Limits, Opening, Paid, Posted, Region, Stage, Terms} from "./SettlementTypes.sol";

/// @title Regions, and what is decided about them; assumptions stand on `IRegions`
abstract contract Regions is IRegions, Ownable, ReentrancyGuardTransient {
    address public guardian;
    IRewardToken public rewardToken;

    mapping(bytes32 region => Region) internal _regions;
    mapping(bytes32 region => Terms[]) internal _terms;
    mapping(bytes32 region => mapping(uint256 epoch => Posted)) internal _reports;
    mapping(bytes32 region => mapping(uint256 index => DepositRecord)) internal _deposits;
    mapping(bytes32 region => mapping(uint256 index => bytes32)) internal _depositsHash;
    mapping(bytes32 region => mapping(address account => Paid)) internal _paid;
    address public termsKeeper;

    /// @inheritdoc IRegions
    function openRegion(bytes32 region, Opening calldata opening) external onlyOwner {
        RegionNames.requireName(region);
        if (_regions[region].stage != Stage.None) revert Settlement_RegionExists(region);
        if (opening.operator == address(0)) revert Settlement_OperatorMissing();
        uint256 windowSlots = opening.windowSlots;
        uint256 epochSlots = opening.epochSlots;
        if (windowSlots != 4 && windowSlots != 96) revert Settlement_WindowLength(windowSlots);
        bool isWhole = epochSlots != 0 && epochSlots % windowSlots == 0;
        if (!isWhole || epochSlots > Limits.MAX_EPOCH_SLOTS) revert Settlement_EpochLength(epochSlots);
        uint256 epochSeconds = epochSlots * Limits.SLOT_SECONDS;
        _requireTerms(opening.terms, epochSeconds);
        uint64 firstEpoch = opening.terms.fromEpoch;
        uint256 startS = _requireFirstEpoch(firstEpoch, epochSeconds);

        Region storage books = _regions[region];
        books.operator = opening.operator;
        books.stage = Stage.Open;
        books.windowSlots = opening.windowSlots;
        books.epochSlots = opening.epochSlots;
        books.firstEpoch = firstEpoch;
        // The empty report before the first one: nothing deposited, nothing owed, final.
        books.reportedEpoch = firstEpoch - 1;
        books.finalEpoch = firstEpoch - 1;
        books.aliveAtS = SafeCast.toUint40(Math.max(startS, block.timestamp));
        _reports[region][firstEpoch - 1].nextEmission = opening.terms.emissionPerEpoch;
        _terms[region].push(opening.terms);
        emit RegionOpened(region, opening);
    }

    /// @inheritdoc IRegions
    function setOperator(bytes32 region, address operator) external onlyOwner {
        if (operator == address(0)) revert Settlement_OperatorMissing();
        _booksOf(region).operator = operator;
        emit OperatorSet(region, operator);
    }

    /// @inheritdoc IRegions
    function setTerms(bytes32 region, Terms calldata terms) external {
        address keeper = termsKeeper == address(0) ? owner() : termsKeeper;
        if (msg.sender != keeper) revert Settlement_NotTermsKeeper(msg.sender);
        checkTerms(region, terms);
        Terms[] storage all = _terms[region];
        // What is taken away has not begun, and so no report names it.
        while (all[all.length - 1].fromEpoch >= terms.fromEpoch) all.pop();
        all.push(terms);
        emit TermsScheduled(region, all.length - 1, terms);
    }

    /// @inheritdoc IRegions
    function setTermsKeeper(address keeper) external onlyOwner {
        if (termsKeeper != address(0)) revert Settlement_TermsKeeperSet();
        termsKeeper = keeper;
        emit TermsKeeperSet(keeper);
    }

    /// @inheritdoc IRegions
    function setGuardian(address guardian_) external onlyOwner {
        _setGuardian(guardian_);
    }

    /// @inheritdoc IRegions
    function setRewardToken(IRewardToken token) external onlyOwner {
        if (address(rewardToken) != address(0)) revert Settlement_RewardTokenSet();
        rewardToken = token;
        emit RewardTokenSet(token);
    }

    /// @notice Refused: a freeze that nobody can decide would stand for ever.
    function renounceOwnership() public view override onlyOwner {
        revert Settlement_OwnerNeeded();
    }

    /// @inheritdoc IRegions
    function regionOf(bytes32 region) external view returns (Region memory) {
        return _booksOf(region);
    }

    /// @inheritdoc IRegionList
    function windowSlotsOf(bytes32 region) external view returns (uint256) {
        return _regions[region].windowSlots;
    }

    /// @inheritdoc IRegions
    function termsInEpoch(bytes32 region, uint256 epoch) external view returns (Terms memory, uint256 version) {
        _booksOf(region);
        Terms[] storage all = _terms[region];
        version = all.length - 1;
        while (version > 0 && all[version].fromEpoch > epoch) --version;
        return (all[version], version);
    }

    /// @inheritdoc IRegions
    function checkTerms(bytes32 region, Terms calldata terms) public view {
        Region storage books = _booksOf(region);
        uint256 epochSeconds = _epochSeconds(books);
        _requireTerms(terms, epochSeconds);
        bool isLateEnough = terms.fromEpoch * epochSeconds >= block.timestamp + Limits.NOTICE_SECONDS;
        if (!isLateEnough || terms.fromEpoch <= books.firstEpoch) revert Settlement_TermsTooSoon(terms.fromEpoch);
    }

    function _setGuardian(address guardian_) internal {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }

    function _booksOf(bytes32 region) internal view returns (Region storage books) {
        books = _regions[region];
        if (books.stage == Stage.None) revert Settlement_RegionUnknown(region);
    }

    function _epochSeconds(Region storage books) internal view returns (uint256) {
        return books.epochSlots * Limits.SLOT_SECONDS;
    }

    /// @dev The terms of the last report; before the first one, the opening's.
    function _currentTerms(bytes32 region, Region storage books) internal view returns (Terms storage) {
        return _terms[region][_reports[region][books.reportedEpoch].version];
    }

    function _requireFirstEpoch(uint256 epoch, uint256 epochSeconds) private view returns (uint256 startS) {
        uint256 runningEpoch = block.timestamp / epochSeconds;
        startS = epoch * epochSeconds;
        bool isFar = startS > block.timestamp + Limits.MAX_OPENING_AHEAD_SECONDS;
        // Epoch 0 has none before it.
        if (epoch == 0 || epoch < runningEpoch || isFar) revert Settlement_FirstEpoch(epoch, runningEpoch);
    }

    function _requireTerms(Terms calldata terms, uint256 epochSeconds) private pure {
        _requireTerm("outflowCapBps", terms.outflowCapBps, Limits.MIN_OUTFLOW_CAP_BPS, Limits.BPS);
        _requireTerm(
            "finalityDelaySeconds", terms.finalityDelaySeconds, Limits.MIN_FINALITY_SECONDS, Limits.MAX_FINALITY_SECONDS
        );
        // Whoever reports every epoch must never be thought silent, and a last report must be final when it may be left by.
        uint256 leastExitAfter = 2 * epochSeconds + terms.finalityDelaySeconds;
        _requireTerm("exitAfterSeconds", terms.exitAfterSeconds, leastExitAfter, Limits.MAX_EXIT_AFTER_SECONDS);
        _requireTerm("leastDepositMicros", terms.leastDepositMicros, 1, Limits.MAX_REGION_MICROS);
        _requireTerm("emissionDecayBps", terms.emissionDecayBps, 0, Limits.BPS);
        _requireTerm("emissionPerEpoch", terms.emissionPerEpoch, 0, Limits.MAX_EMISSION);
    }

    function _requireTerm(string memory term, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert Settlement_TermOutOfBounds(term, value, least, most);
    }
}
