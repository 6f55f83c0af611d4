// SPDX-License-Identifier: Apache-2.0
// Owns what providers have at stake, its way in and its way out. It refuses an amount that did not arrive whole, a key that was
// ever another account's, and a withdrawal before its time.
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IRegions} from "../settlement/IRegions.sol";
import {Limits, Stage} from "../settlement/SettlementTypes.sol";
import {IRewardParameters, Parameter} from "../vote/IRewardParameters.sol";
import {IProviderStake} from "./IProviderStake.sol";
import {ParametersInForce} from "./ParametersInForce.sol";
import {Act, Stake, StakeEvent, StakeLimits} from "./StakeTypes.sol";

/// @title Stakes' way in and out; assumptions stand on `IProviderStake`
abstract contract Stakes is IProviderStake, ReentrancyGuardTransient {
    using Checkpoints for Checkpoints.Trace208;
    using SafeERC20 for IERC20;

    IERC20 public immutable quote;
    IRegions public immutable regions;
    IRewardParameters public immutable parameters;
    uint256 public immutable auditSeconds;
    uint256 public immutable slashDelaySeconds;

    mapping(bytes32 region => mapping(address account => Stake)) internal _stakes;
    mapping(bytes32 region => mapping(address account => Checkpoints.Trace208)) private _totals;
    mapping(bytes32 region => mapping(bytes32 nodeKey => address)) private _keyAccount;
    mapping(bytes32 region => mapping(uint256 number => StakeEvent)) private _events;
    mapping(bytes32 region => uint256) internal _eventCount;

    constructor(
        IERC20Metadata quote_,
        IRegions regions_,
        IRewardParameters parameters_,
        uint256 auditSeconds_,
        uint256 slashDelaySeconds_
    ) {
        _requireTime("auditSeconds", auditSeconds_, StakeLimits.MIN_AUDIT_SECONDS, StakeLimits.MAX_AUDIT_SECONDS);
        _requireTime(
            "slashDelaySeconds", slashDelaySeconds_, StakeLimits.MIN_DELAY_SECONDS, StakeLimits.MAX_DELAY_SECONDS
        );
        // A micro of the region is a base unit here.
        uint256 decimals = quote_.decimals();
        if (decimals != 6) revert ProviderStake_TokenDecimals(decimals);
        quote = quote_;
        regions = regions_;
        parameters = parameters_;
        auditSeconds = auditSeconds_;
        slashDelaySeconds = slashDelaySeconds_;
    }

    /// @inheritdoc IProviderStake
    function stake(bytes32 region, bytes32 nodeKey, uint256 amountMicros) external nonReentrant {
        Stake storage held = _stakes[region][msg.sender];
        if (held.nodeKey != 0) revert ProviderStake_StakedBefore(region, msg.sender);
        _requireAmount(region, held, amountMicros);
        _bindKey(region, held, nodeKey);
        _add(region, held, amountMicros, Act.Staked);
    }

    /// @inheritdoc IProviderStake
    function topUp(bytes32 region, uint256 amountMicros) external nonReentrant {
        Stake storage held = _heldBy(region, msg.sender);
        if (held.unbondsAtS != 0) revert ProviderStake_IsUnbonding(held.unbondsAtS);
        _requireChangeable(held);
        _requireAmount(region, held, amountMicros);
        _add(region, held, amountMicros, Act.ToppedUp);
    }

    /// @inheritdoc IProviderStake
    function rotateKey(bytes32 region, bytes32 nodeKey) external nonReentrant {
        Stake storage held = _heldBy(region, msg.sender);
        _requireChangeable(held);
        if (held.nodeKey == nodeKey) revert ProviderStake_SameKey(nodeKey);
        _bindKey(region, held, nodeKey);
        _change(region, held, Act.KeyRotated);
    }

    /// @inheritdoc IProviderStake
    function beginUnbonding(bytes32 region) external nonReentrant returns (uint256 unbondsAtS) {
        Stake storage held = _heldBy(region, msg.sender);
        if (held.unbondsAtS != 0) revert ProviderStake_IsUnbonding(held.unbondsAtS);
        _requireChangeable(held);
        (, uint256 unbondingSeconds) = termsOf(region);
        unbondsAtS = block.timestamp + unbondingSeconds;
        held.unbondsAtS = SafeCast.toUint40(unbondsAtS);
        _change(region, held, Act.UnbondingBegun);
    }

    /// @inheritdoc IProviderStake
    function cancelUnbonding(bytes32 region) external nonReentrant {
        Stake storage held = _heldBy(region, msg.sender);
        if (held.unbondsAtS == 0) revert ProviderStake_NotUnbonding();
        _requireChangeable(held);
        held.unbondsAtS = 0;
        _change(region, held, Act.UnbondingCancelled);
    }

    /// @inheritdoc IProviderStake
    function withdraw(bytes32 region) external nonReentrant returns (uint256 amountMicros) {
        Stake storage held = _heldBy(region, msg.sender);
        if (!_isOver(region)) {
            if (held.unbondsAtS == 0) revert ProviderStake_NotUnbonding();
            if (block.timestamp < held.unbondsAtS) revert ProviderStake_StillBonded(held.unbondsAtS);
        }
        amountMicros = held.bondedMicros;
        if (amountMicros == 0) revert ProviderStake_NothingToWithdraw(held.queuedMicros);
        held.bondedMicros = 0;
        _noteTotal(region, msg.sender, held);
        _note(region, msg.sender, held, Act.Withdrawn);
        _forgetEmpty(region, msg.sender);
        quote.safeTransfer(msg.sender, amountMicros);
    }

    /// @inheritdoc IProviderStake
    function stakeOf(bytes32 region, address account) external view returns (Stake memory) {
        return _stakes[region][account];
    }

    /// @inheritdoc IProviderStake
    function stakedAtS(bytes32 region, address account, uint256 atS) public view returns (uint256) {
        return _totals[region][account].upperLookupRecent(SafeCast.toUint48(atS));
    }

    /// @inheritdoc IProviderStake
    function accountOfKey(bytes32 region, bytes32 nodeKey) public view returns (address) {
        return _keyAccount[region][nodeKey];
    }

    /// @inheritdoc IProviderStake
    function termsOf(bytes32 region) public view returns (uint256 minimumMicros, uint256 unbondingSeconds) {
        uint256[19] memory values = _valuesAtS(region, block.timestamp);
        minimumMicros = values[uint256(Parameter.ProviderMinimumStake)];
        // A provider must be there until its last result has been looked at, and a vote has had its time.
        unbondingSeconds = Math.max(values[uint256(Parameter.UnbondingSeconds)], auditSeconds + slashDelaySeconds);
    }

    /// @inheritdoc IProviderStake
    function stakeEventOf(bytes32 region, uint256 number) external view returns (StakeEvent memory) {
        return _events[region][number];
    }

    /// @dev The values of the epoch that a second is in.
    function _valuesAtS(bytes32 region, uint256 atS) internal view returns (uint256[19] memory) {
        uint256 epochSeconds = regions.regionOf(region).epochSlots * Limits.SLOT_SECONDS;
        return ParametersInForce.valuesIn(parameters, region, atS / epochSeconds);
    }

    /// @dev Its operator was found to lie, or everybody leaves it.
    function _isOver(bytes32 region) internal view returns (bool) {
        Stage stage = regions.regionOf(region).stage;
        return stage == Stage.Upheld || stage == Stage.Exiting;
    }

    function _heldBy(bytes32 region, address account) internal view returns (Stake storage held) {
        held = _stakes[region][account];
        if (held.nodeKey == 0) revert ProviderStake_NoStake(region, account);
    }

    /// @dev What a slash is a share of: all that was not taken from the account or by it.
    function _noteTotal(bytes32 region, address account, Stake storage held) internal {
        _totals[region][account].push(SafeCast.toUint48(block.timestamp), held.bondedMicros + held.queuedMicros);
    }

    /// @dev Tells the region how the stake stands now.
    function _note(bytes32 region, address account, Stake storage held, Act act) internal {
        bool isUnbonding = held.unbondsAtS != 0;
        uint256 number = ++_eventCount[region];
        _events[region][number] = StakeEvent(held.nodeKey, account, held.bondedMicros, isUnbonding);
        emit StakeChanged(region, number, account, act, held.nodeKey, held.bondedMicros, isUnbonding);
    }

    /// @dev So that the account may stake anew. Its keys and what it had at stake when stay known.
    function _forgetEmpty(bytes32 region, address account) internal {
        Stake storage held = _stakes[region][account];
        if (held.bondedMicros == 0 && held.queuedMicros == 0) delete _stakes[region][account];
    }

    function _add(bytes32 region, Stake storage held, uint256 amountMicros, Act act) private {
        _collect(amountMicros);
        held.bondedMicros += SafeCast.toUint64(amountMicros);
        _noteTotal(region, msg.sender, held);
        _change(region, held, act);
    }

    /// @dev Nobody gets in between, and whatever falls short takes all back.
    function _collect(uint256 amountMicros) private {
        uint256 before = quote.balanceOf(address(this));
        quote.safeTransferFrom(msg.sender, address(this), amountMicros);
        uint256 arrivedMicros = quote.balanceOf(address(this)) - before;
        if (arrivedMicros != amountMicros) revert ProviderStake_TransferFellShort(amountMicros, arrivedMicros);
    }

    function _bindKey(bytes32 region, Stake storage held, bytes32 nodeKey) private {
        if (nodeKey == 0) revert ProviderStake_KeyMissing();
        address owner = _keyAccount[region][nodeKey];
        if (owner != address(0) && owner != msg.sender) revert ProviderStake_KeyTaken(nodeKey, owner);
        _keyAccount[region][nodeKey] = msg.sender;
        held.nodeKey = nodeKey;
    }

    function _change(bytes32 region, Stake storage held, Act act) private {
        held.changedAtS = SafeCast.toUint40(block.timestamp);
        _note(region, msg.sender, held, act);
    }

    function _requireChangeable(Stake storage held) private view {
        uint256 untilS = held.changedAtS + StakeLimits.CHANGE_SECONDS;
        if (block.timestamp < untilS) revert ProviderStake_TooSoon(untilS);
    }

    /// @dev The least deposit bounds entries in the region's journal here as it does there.
    function _requireAmount(bytes32 region, Stake storage held, uint256 amountMicros) private view {
        if (regions.regionOf(region).stage != Stage.Open) revert ProviderStake_RegionNotOpen(region);
        uint256[19] memory values = _valuesAtS(region, block.timestamp);
        uint256 leastMicros = values[uint256(Parameter.LeastDepositMicros)];
        if (amountMicros < leastMicros) revert ProviderStake_TooSmall(amountMicros, leastMicros);
        uint256 bondedMicros = held.bondedMicros;
        uint256 mostMicros = Limits.MAX_REGION_MICROS - bondedMicros - held.queuedMicros;
        if (amountMicros > mostMicros) revert ProviderStake_TooLarge(amountMicros, mostMicros);
        uint256 minimumMicros = values[uint256(Parameter.ProviderMinimumStake)];
        uint256 wouldBeMicros = bondedMicros + amountMicros;
        if (wouldBeMicros < minimumMicros) revert ProviderStake_BelowMinimum(wouldBeMicros, minimumMicros);
    }

    function _requireTime(string memory time, uint256 value, uint256 least, uint256 most) private view {
        uint256 leastHere = block.chainid == StakeLimits.LOCAL_CHAIN_ID ? 1 : least;
        if (value < leastHere || value > most) revert ProviderStake_TimeOutOfBounds(time, value, leastHere, most);
    }
}
