// SPDX-License-Identifier: Apache-2.0
// Owns the tests of who may do what with the timelock, which owns everything governed and the treasury. It refuses everybody
// but the governor, and the governor before its time.
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Parameter} from "../vote/IRewardParameters.sol";
import {Draft, VoteFixture} from "./VoteFixture.sol";

contract TimelockTest is VoteFixture {
    function testRejects_everyProposerButTheGovernor() external {
        bytes memory call = _changeCall(Parameter.TakeRateBps, 120);
        bytes32 role = timelock.PROPOSER_ROLE();
        address[5] memory callers = [STRANGER, anna, GUARDIAN, OPERATOR, address(this)];
        for (uint256 index = 0; index < callers.length; ++index) {
            VM.prank(callers[index]);
            VM.expectRevert(_lacks(callers[index], role));
            timelock.schedule(address(parameters), 0, call, 0, 0, TIMELOCK_DELAY);
        }
    }

    /// @dev Whoever deployed has nothing left: it can neither add a proposer nor make itself one.
    function testRejects_rolesFromTheDeployer() external {
        bytes32 admin = timelock.DEFAULT_ADMIN_ROLE();
        bytes32[4] memory roles = [timelock.PROPOSER_ROLE(), timelock.EXECUTOR_ROLE(), timelock.CANCELLER_ROLE(), admin];
        for (uint256 index = 0; index < roles.length; ++index) {
            VM.expectRevert(_lacks(address(this), admin));
            timelock.grantRole(roles[index], address(this));
            VM.assertFalse(timelock.hasRole(roles[index], address(this)));
            // Not open to everybody either.
            VM.assertFalse(timelock.hasRole(roles[index], address(0)));
            VM.assertTrue(timelock.hasRole(roles[index], index == 3 ? address(timelock) : address(governor)));
        }
        VM.expectRevert(abi.encodeWithSelector(TimelockController.TimelockUnauthorizedCaller.selector, address(this)));
        timelock.updateDelay(0);
    }

    /// @dev Past the governor there would be no second look at the calls.
    function testRejects_executionOnTheTimelockItself() external {
        Draft memory draft = _changeDraft();
        uint256 proposal = _due(draft);
        bytes32 role = timelock.EXECUTOR_ROLE();
        bytes32 salt = _saltOf(draft);
        VM.prank(STRANGER);
        VM.expectRevert(_lacks(STRANGER, role));
        timelock.executeBatch(draft.targets, draft.values, draft.calls, 0, salt);
        _requireState(proposal, IGovernor.ProposalState.Queued);
        VM.assertEq(_valueOf(Parameter.TakeRateBps), 100);
        VM.prank(STRANGER);
        governor.execute(proposal);
        VM.assertEq(_valueOf(Parameter.TakeRateBps), 120);
    }

    function testRejects_cancellingOnTheTimelockItself() external {
        Draft memory draft = _changeDraft();
        _due(draft);
        bytes32 operation = timelock.hashOperationBatch(draft.targets, draft.values, draft.calls, 0, _saltOf(draft));
        bytes32 role = timelock.CANCELLER_ROLE();
        address[3] memory callers = [STRANGER, GUARDIAN, address(this)];
        for (uint256 index = 0; index < callers.length; ++index) {
            VM.prank(callers[index]);
            VM.expectRevert(_lacks(callers[index], role));
            timelock.cancel(operation);
        }
        VM.assertTrue(timelock.isOperationReady(operation));
    }

    function testRejects_executionBeforeTheDelay() external {
        uint256 proposal = _queued(_changeDraft());
        VM.warp(governor.proposalEta(proposal) - 1);
        VM.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        governor.execute(proposal);
        VM.assertEq(_valueOf(Parameter.TakeRateBps), 100);
    }

    function testRejects_secondExecution() external {
        uint256 proposal = _due(_changeDraft());
        governor.execute(proposal);
        VM.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.execute(proposal);
        VM.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.queue(proposal);
        VM.assertEq(parameters.versionCount(REGION), 2);
    }

    /// @dev Should a vote ever add a proposer, it can schedule; nothing it schedules is executed by anybody.
    function testRejects_executionOfWhatAnExtraProposerScheduled() external {
        bytes32 role = timelock.PROPOSER_ROLE();
        VM.prank(address(timelock));
        timelock.grantRole(role, STRANGER);
        bytes memory call = _changeCall(Parameter.TakeRateBps, 120);
        VM.startPrank(STRANGER);
        timelock.schedule(address(parameters), 0, call, 0, 0, TIMELOCK_DELAY);
        VM.warp(block.timestamp + TIMELOCK_DELAY);
        VM.expectRevert(_lacks(STRANGER, timelock.EXECUTOR_ROLE()));
        timelock.execute(address(parameters), 0, call, 0, 0);
        VM.stopPrank();
        VM.assertEq(_valueOf(Parameter.TakeRateBps), 100);
    }

    /// @dev Nor could one that may execute as well set the vote's own rules.
    function testRejects_settingsFromAnExtraProposer() external {
        (bytes32 proposer, bytes32 executor) = (timelock.PROPOSER_ROLE(), timelock.EXECUTOR_ROLE());
        VM.startPrank(address(timelock));
        timelock.grantRole(proposer, STRANGER);
        timelock.grantRole(executor, STRANGER);
        VM.stopPrank();
        bytes memory call = abi.encodeCall(governor.updateQuorumNumerator, (1));
        VM.startPrank(STRANGER);
        timelock.schedule(address(governor), 0, call, 0, 0, TIMELOCK_DELAY);
        VM.warp(block.timestamp + TIMELOCK_DELAY);
        VM.expectRevert();
        timelock.execute(address(governor), 0, call, 0, 0);
        VM.stopPrank();
        VM.assertEq(governor.quorumNumerator(), QUORUM);
    }

    /// @dev Should a vote ever let everybody execute there, the governor says so of its proposal.
    function testBehavior_stateFollowsTheTimelock() external {
        bytes32 role = timelock.EXECUTOR_ROLE();
        VM.prank(address(timelock));
        timelock.grantRole(role, address(0));
        Draft memory draft = _changeDraft();
        uint256 proposal = _due(draft);
        VM.prank(STRANGER);
        timelock.executeBatch(draft.targets, draft.values, draft.calls, 0, _saltOf(draft));
        _requireState(proposal, IGovernor.ProposalState.Executed);
        VM.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.execute(proposal);
    }

    function testBehavior_treasuryIsSpentByAVote() external {
        quote.mint(address(timelock), 5_000_000);
        _pass(_draft(address(quote), abi.encodeCall(quote.transfer, (CAROL, 2_000_000))));
        VM.assertEq(quote.balanceOf(CAROL), 2_000_000);
        VM.assertEq(quote.balanceOf(address(timelock)), 3_000_000);
    }

    function testBehavior_everythingGovernedIsTheTimelocks() external view {
        VM.assertEq(settlement.owner(), address(timelock));
        VM.assertEq(callList.owner(), address(timelock));
        VM.assertEq(parameters.owner(), address(timelock));
        VM.assertEq(settlement.termsKeeper(), address(parameters));
        VM.assertEq(address(settlement.rewardToken()), address(token));
        VM.assertEq(governor.timelock(), address(timelock));
    }

    function _saltOf(Draft memory draft) private view returns (bytes32) {
        return bytes20(address(governor)) ^ keccak256(bytes(draft.description));
    }

    function _lacks(address account, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }
}
