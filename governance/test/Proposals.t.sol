// SPDX-License-Identifier: Apache-2.0
// Owns the tests of who proposes and who cancels. It refuses a proposal in another's name, and one in nobody's.
pragma solidity ^0.8.24;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {PolderGovernor} from "../vote/PolderGovernor.sol";
import {Parameter} from "../vote/IRewardParameters.sol";
import {Draft, VoteFixture} from "./VoteFixture.sol";

contract ProposalsTest is VoteFixture {
    function setUp() public override {
        super.setUp();
        VM.prank(anna);
        bool isMoved = token.transfer(STRANGER, THRESHOLD);
        VM.assertTrue(isMoved);
        VM.prank(STRANGER);
        token.delegate(STRANGER);
        VM.warp(block.timestamp + 1);
    }

    /// @dev Whoever sees anna's proposal on its way could send it first and cancel it: its id could never be proposed again.
    function testRejects_frontRunnerThatWouldCancel() external {
        Draft memory draft = _changeDraft();
        VM.prank(STRANGER);
        VM.expectRevert(abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, STRANGER));
        governor.propose(draft.targets, draft.values, draft.calls, draft.description);
        VM.assertEq(governor.proposalCount(), 0);
        // In its own name it is another proposal, and cancelling that one is no harm.
        string memory copied = _named("Something to decide", STRANGER);
        VM.startPrank(STRANGER);
        uint256 copy = governor.propose(draft.targets, draft.values, draft.calls, copied);
        governor.cancel(copy);
        VM.stopPrank();
        uint256 proposal = _propose(draft);
        VM.assertTrue(proposal != copy);
        _requireState(proposal, IGovernor.ProposalState.Pending);
        VM.assertEq(governor.proposalProposer(proposal), anna);
    }

    function testRejects_descriptionThatNamesNobody() external {
        string memory named = VM.toString(anna);
        string[6] memory descriptions = [
            "",
            "Something to decide",
            string.concat("#proposer=", named, "\n"),
            string.concat("#other=", named),
            string.concat("#proposer= ", named),
            string.concat("proposer=", named)
        ];
        for (uint256 index = 0; index < descriptions.length; ++index) {
            Draft memory draft = _changeDraft();
            draft.description = descriptions[index];
            _refuse(draft, abi.encodeWithSelector(PolderGovernor.PolderGovernor_ProposerNotNamed.selector, anna));
        }
    }

    function testRejects_descriptionWhoseNameIsNoAddress() external {
        Draft memory draft = _changeDraft();
        draft.description = "#proposer=0x00000000000000000000000000000000000000zz";
        _refuse(draft, abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, anna));
    }

    function testRejects_tooFewVotesForAProposal() external {
        VM.prank(STRANGER);
        bool isMoved = token.transfer(anna, 1);
        VM.assertTrue(isMoved);
        VM.warp(block.timestamp + 1);
        Draft memory draft = _changeDraft();
        draft.description = _named("Mine", STRANGER);
        VM.prank(STRANGER);
        VM.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector, STRANGER, THRESHOLD - 1, THRESHOLD
            )
        );
        governor.propose(draft.targets, draft.values, draft.calls, draft.description);
    }

    function testRejects_cancellingAnothersProposalOrAnOpenVote() external {
        uint256 proposal = _propose(_changeDraft());
        _refuseCancel(proposal, STRANGER);
        _open(proposal);
        _refuseCancel(proposal, anna);
        _refuseCancel(proposal, STRANGER);
        _requireState(proposal, IGovernor.ProposalState.Active);
    }

    /// @dev A guardian whom no vote could dismiss would be an owner.
    function testRejects_guardianCancellingItsDismissal() external {
        Draft memory draft = _draft(address(governor), abi.encodeCall(governor.setProposalGuardian, (address(0))));
        uint256 proposal = _propose(draft);
        _refuseCancel(proposal, GUARDIAN);
        _open(proposal);
        _vote(anna, proposal, FOR);
        _refuseCancel(proposal, GUARDIAN);
        _close(proposal);
        governor.queue(proposal);
        _refuseCancel(proposal, GUARDIAN);
        VM.warp(governor.proposalEta(proposal));
        governor.execute(proposal);
        VM.assertEq(governor.proposalGuardian(), address(0));
    }

    /// @dev Nothing hides behind a dismissal.
    function testBehavior_guardianCancelsADismissalWithMore() external {
        Draft memory draft = _changeDraft();
        draft.targets = new address[](2);
        draft.values = new uint256[](2);
        draft.calls = new bytes[](2);
        (draft.targets[0], draft.targets[1]) = (address(governor), address(parameters));
        draft.calls[0] = abi.encodeCall(governor.setProposalGuardian, (address(0)));
        draft.calls[1] = _changeCall(Parameter.TakeRateBps, 120);
        uint256 proposal = _propose(draft);
        VM.prank(GUARDIAN);
        governor.cancel(proposal);
        _requireState(proposal, IGovernor.ProposalState.Canceled);
    }

    function testBehavior_guardianStopsWhatWasPassed() external {
        uint256 proposal = _due(_changeDraft());
        VM.prank(GUARDIAN);
        governor.cancel(proposal);
        _requireState(proposal, IGovernor.ProposalState.Canceled);
        VM.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.execute(proposal);
        VM.assertEq(_valueOf(Parameter.TakeRateBps), 100);
    }

    function testBehavior_proposerCancelsBeforeTheVote() external {
        uint256 proposal = _propose(_changeDraft());
        VM.prank(anna);
        governor.cancel(proposal);
        _requireState(proposal, IGovernor.ProposalState.Canceled);
    }

    function testBehavior_nameInOtherLettersIsTheSameAddress() external {
        Draft memory draft = _changeDraft();
        bytes memory text = bytes(draft.description);
        for (uint256 index = text.length - 40; index < text.length; ++index) {
            if (text[index] >= "A" && text[index] <= "F") text[index] = bytes1(uint8(text[index]) + 32);
        }
        draft.description = string(text);
        _requireState(_propose(draft), IGovernor.ProposalState.Pending);
    }

    function testBehavior_proposalIsKeptWhole() external {
        Draft memory draft = _changeDraft();
        uint256 proposal = _propose(draft);
        (uint256 id, address[] memory targets,, bytes[] memory calls, bytes32 hash) = governor.proposalDetailsAt(0);
        VM.assertEq(id, proposal);
        VM.assertEq(targets[0], draft.targets[0]);
        VM.assertEq(keccak256(calls[0]), keccak256(draft.calls[0]));
        VM.assertEq(hash, keccak256(bytes(draft.description)));
    }

    function _refuse(Draft memory draft, bytes memory error_) private {
        VM.prank(anna);
        VM.expectRevert(error_);
        governor.propose(draft.targets, draft.values, draft.calls, draft.description);
        VM.assertEq(governor.proposalCount(), 0);
    }

    function _refuseCancel(uint256 proposal, address caller) private {
        VM.prank(caller);
        VM.expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, proposal, caller));
        governor.cancel(proposal);
    }
}
