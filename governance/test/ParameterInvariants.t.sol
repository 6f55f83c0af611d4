// SPDX-License-Identifier: Apache-2.0
// Owns what must hold of governed values after any row of votes on them. It refuses runs in which nothing changes.
pragma solidity ^0.8.24;

import {Terms} from "../settlement/SettlementTypes.sol";
import {Bounds, Change, Parameter, Version} from "../vote/IRewardParameters.sol";
import {ParameterBounds} from "../vote/ParameterBounds.sol";
import {RewardParameters} from "../vote/RewardParameters.sol";
import {Cheats} from "./Cheats.sol";
import {FuzzSelector} from "./SettlementInvariants.t.sol";
import {VoteFixture} from "./VoteFixture.sol";

/// @notice Votes at random, and keeps its own books of what was accepted when.
contract ParameterVoter is Cheats {
    RewardParameters private immutable PARAMETERS;
    bytes32 private immutable REGION;
    address private immutable OWNER;
    uint256[19] public valueOf;
    uint256[19] public changedAtS;
    uint256 public accepted;
    uint256 public refused;

    constructor(RewardParameters parameters, bytes32 region, address owner) {
        (PARAMETERS, REGION, OWNER) = (parameters, region, owner);
        valueOf = parameters.versionOf(region, 0).values;
    }

    function act(uint256 seed) external {
        VM.warp(block.timestamp + _within(seed, 0, 12 days));
        Parameter parameter = Parameter(_within(seed >> 32, 0, ParameterBounds.COUNT - 1));
        Change[] memory changes = new Change[](1);
        changes[0] = Change(parameter, _wish(parameter, seed >> 64));
        VM.prank(OWNER);
        try PARAMETERS.change(REGION, changes) {
            _note(parameter, changes[0].value);
        } catch {
            ++refused;
        }
    }

    /// @dev A little off, a lot off, at a bound, or anything.
    function _wish(Parameter parameter, uint256 seed) private view returns (uint256) {
        Bounds memory bounds = PARAMETERS.boundsOf(parameter);
        uint256 current = valueOf[uint256(parameter)];
        uint256 kind = seed % 8;
        uint256 step = _within(seed >> 8, 1, current / 4 + bounds.stepFloor);
        if (kind < 3) return current + step;
        if (kind < 6) return current > step ? current - step : 0;
        if (kind == 6) return seed & 256 == 0 ? bounds.least : bounds.most;
        return seed;
    }

    /// @dev By its own arithmetic: what was accepted must have been within bounds, steps and time.
    function _note(Parameter parameter, uint256 value) private {
        uint256 index = uint256(parameter);
        Bounds memory bounds = PARAMETERS.boundsOf(parameter);
        VM.assertTrue(value >= bounds.least && value <= bounds.most, "out of bounds");
        uint256 current = valueOf[index];
        uint256 step = value > current ? value - current : current - value;
        VM.assertTrue(step <= bounds.stepFloor || step * 10_000 <= current * bounds.stepBps, "too large a step");
        bool isCool = changedAtS[index] == 0 || block.timestamp >= changedAtS[index] + bounds.coolDownSeconds;
        VM.assertTrue(isCool, "within the cool-down");
        valueOf[index] = value;
        changedAtS[index] = block.timestamp;
        ++accepted;
    }
}

contract ParameterInvariantsTest is VoteFixture {
    ParameterVoter private _voter;

    function setUp() public override {
        super.setUp();
        _voter = new ParameterVoter(parameters, REGION, address(timelock));
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_voter);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory selectors) {
        selectors = new FuzzSelector[](1);
        selectors[0] = FuzzSelector(address(_voter), new bytes4[](1));
        selectors[0].selectors[0] = ParameterVoter.act.selector;
    }

    /// @dev The newest version is what was accepted, and Settlement judges by it: one truth in two contracts.
    function invariant_oneTruth() external view {
        uint256 count = parameters.versionCount(REGION);
        VM.assertEq(count, _voter.accepted() + 1);
        Version memory newest = parameters.versionOf(REGION, count - 1);
        for (uint256 index = 0; index < ParameterBounds.COUNT; ++index) {
            VM.assertEq(newest.values[index], _voter.valueOf(index), "a value");
        }
        (Terms memory terms,) = settlement.termsInEpoch(REGION, type(uint64).max);
        _requireTerm(newest, Parameter.EmissionPerEpoch, terms.emissionPerEpoch);
        _requireTerm(newest, Parameter.EmissionDecayBps, terms.emissionDecayBps);
        _requireTerm(newest, Parameter.OutflowCapBps, terms.outflowCapBps);
        _requireTerm(newest, Parameter.FinalityDelaySeconds, terms.finalityDelaySeconds);
        _requireTerm(newest, Parameter.ExitAfterSeconds, terms.exitAfterSeconds);
        _requireTerm(newest, Parameter.LeastDepositMicros, terms.leastDepositMicros);
        if (count > 1) VM.assertLe(parameters.versionOf(REGION, count - 2).fromEpoch, newest.fromEpoch);
    }

    function afterInvariant() external view {
        VM.assertGt(_voter.accepted(), 5, "hardly anything changed");
        VM.assertGt(_voter.refused(), 5, "hardly anything was refused");
    }

    function _requireTerm(Version memory newest, Parameter parameter, uint256 term) private pure {
        VM.assertEq(newest.values[uint256(parameter)], term, "a term");
    }
}
