// SPDX-License-Identifier: Apache-2.0
// Owns the tests of the quorum: what it is measured by, and what happens when it is reached late. It refuses a vote that few
// saw.
pragma solidity ^0.8.24;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Parameter} from "../vote/IRewardParameters.sol";
import {Draft, VoteFixture} from "./VoteFixture.sol";

contract QuorumTest is VoteFixture {
    function testRejects_lowTurnout() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        _vote(BEN, proposal, FOR);
        _close(proposal);
        _requireState(proposal, IGovernor.ProposalState.Defeated);
        VM.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.queue(proposal);
        VM.assertEq(_valueOf(Parameter.TakeRateBps), 100);
    }

    /// @dev Carol and ben have just the quorum. Ben waits for the last second, so that nobody can answer.
    function testRejects_lateQuorumThatOthersOppose() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        _vote(CAROL, proposal, FOR);
        uint256 firstDeadlineS = governor.proposalDeadline(proposal);
        VM.warp(firstDeadlineS);
        uint64 extendedS = SafeCast.toUint64(firstDeadlineS + EXTENSION);
        VM.expectEmit(address(governor));
        emit GovernorPreventLateQuorum.ProposalExtended(proposal, extendedS);
        _vote(BEN, proposal, FOR);
        VM.assertEq(governor.proposalDeadline(proposal), extendedS);
        VM.warp(firstDeadlineS + 1);
        _requireState(proposal, IGovernor.ProposalState.Active);
        VM.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.queue(proposal);
        VM.warp(extendedS);
        _vote(anna, proposal, AGAINST);
        _close(proposal);
        _requireState(proposal, IGovernor.ProposalState.Defeated);
    }

    /// @dev It is extended once: votes that go on coming do not keep it open for ever.
    function testBehavior_lateQuorumThatNobodyOpposesPasses() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        _vote(CAROL, proposal, FOR);
        VM.warp(governor.proposalDeadline(proposal));
        _vote(BEN, proposal, FOR);
        uint256 extendedS = governor.proposalDeadline(proposal);
        VM.warp(extendedS);
        _vote(anna, proposal, FOR);
        VM.assertEq(governor.proposalDeadline(proposal), extendedS);
        _close(proposal);
        _requireState(proposal, IGovernor.ProposalState.Succeeded);
    }

    function testBehavior_earlyQuorumExtendsNothing() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        uint256 deadlineS = governor.proposalDeadline(proposal);
        _vote(anna, proposal, FOR);
        VM.assertEq(governor.proposalDeadline(proposal), deadlineS);
    }

    /// @dev Rewards minted during a vote change neither what it needs nor what it shows.
    function testBehavior_quorumIsOfTheSnapshotsSupply() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        uint256 snapshotS = governor.proposalSnapshot(proposal);
        uint256 needed = SUPPLY * QUORUM / 100;
        VM.assertEq(governor.quorum(snapshotS), needed);
        uint256 minted = token.mintableNow();
        VM.prank(address(settlement));
        token.mint(STRANGER, minted);
        VM.warp(block.timestamp + 1);
        VM.assertEq(governor.quorum(snapshotS), needed);
        VM.assertGt(governor.quorum(block.timestamp - 1), needed, "the next proposal needs more");
        _vote(CAROL, proposal, FOR);
        _vote(BEN, proposal, FOR);
        _close(proposal);
        _requireState(proposal, IGovernor.ProposalState.Succeeded);
    }

    /// @dev Who lowers the quorum lowers it for later proposals.
    function testRejects_quorumLoweredDuringAVote() external {
        Draft memory lowering = _draft(address(governor), abi.encodeCall(governor.updateQuorumNumerator, (uint256(15))));
        uint256 lower = _queued(lowering);
        // Its vote is still open when the other one is executed.
        Draft memory draft = _changeDraft();
        draft.description = _named("While the quorum is lowered", anna);
        uint256 proposal = _propose(draft);
        VM.warp(governor.proposalEta(lower));
        uint256 snapshotS = governor.proposalSnapshot(proposal);
        VM.assertGt(block.timestamp, snapshotS, "the snapshot is before the change");
        governor.execute(lower);
        _vote(BEN, proposal, FOR);
        VM.warp(block.timestamp + 1);
        VM.assertEq(governor.quorum(snapshotS), SUPPLY * QUORUM / 100);
        VM.assertEq(governor.quorum(block.timestamp - 1), SUPPLY * 15 / 100);
        _close(proposal);
        _requireState(proposal, IGovernor.ProposalState.Defeated);
    }

    /// @dev Abstaining is taking part.
    function testBehavior_abstentionsCountForTheQuorum() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        _vote(anna, proposal, 2);
        _vote(CAROL, proposal, FOR);
        _close(proposal);
        _requireState(proposal, IGovernor.ProposalState.Succeeded);
    }
}
