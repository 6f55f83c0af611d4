// SPDX-License-Identifier: Apache-2.0
// Owns the tests of what a vote weighs: borrowed, moved and late-delegated tokens. It refuses weight to all three.
pragma solidity ^0.8.24;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {PolderGovernor} from "../vote/PolderGovernor.sol";
import {PolderToken} from "../vote/PolderToken.sol";
import {Draft, VoteFixture} from "./VoteFixture.sol";

/// @notice Borrows from whom let it, does one thing with the votes, and gives all back in the same transaction.
contract FlashBorrower {
    PolderToken private immutable TOKEN;
    PolderGovernor private immutable GOVERNOR;
    uint256 public votesHeld;

    constructor(PolderToken token, PolderGovernor governor) {
        (TOKEN, GOVERNOR) = (token, governor);
    }

    function borrowAndVote(address lender, uint256 amount, uint256 proposal) external {
        _take(lender, amount);
        GOVERNOR.castVote(proposal, 1);
        _giveBack(lender, amount);
    }

    function borrowAndPropose(address lender, uint256 amount, Draft calldata draft) external {
        _take(lender, amount);
        GOVERNOR.propose(draft.targets, draft.values, draft.calls, draft.description);
        _giveBack(lender, amount);
    }

    function borrowAndDelegate(address lender, uint256 amount) external {
        _take(lender, amount);
        _giveBack(lender, amount);
    }

    function vote(uint256 proposal) external {
        GOVERNOR.castVote(proposal, 1);
    }

    function _take(address lender, uint256 amount) private {
        require(TOKEN.transferFrom(lender, address(this), amount));
        TOKEN.delegate(address(this));
        votesHeld = TOKEN.getVotes(address(this));
    }

    function _giveBack(address lender, uint256 amount) private {
        require(TOKEN.transfer(lender, amount));
    }
}

contract VotePowerTest is VoteFixture {
    uint256 private constant LOAN = SUPPLY * 30 / 100;
    FlashBorrower private _borrower;

    function setUp() public override {
        super.setUp();
        _borrower = new FlashBorrower(token, governor);
        VM.prank(anna);
        token.approve(address(_borrower), type(uint256).max);
    }

    function testRejects_voteWithFlashLoan() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        _borrower.borrowAndVote(anna, LOAN, proposal);
        // Who counted what is held now would have been won over.
        VM.assertEq(_borrower.votesHeld(), LOAN);
        VM.assertGt(LOAN, governor.quorum(governor.proposalSnapshot(proposal)), "the loan reaches the quorum");
        _requireVotes(proposal, 0);
        _close(proposal);
        _requireState(proposal, IGovernor.ProposalState.Defeated);
    }

    /// @dev Even in the snapshot's own second: what counts is what is held at its end.
    function testRejects_flashLoanAtTheSnapshot() external {
        uint256 proposal = _propose(_changeDraft());
        VM.warp(governor.proposalSnapshot(proposal));
        _borrower.borrowAndDelegate(anna, LOAN);
        VM.assertEq(_borrower.votesHeld(), LOAN);
        _open(proposal);
        _borrower.vote(proposal);
        _requireVotes(proposal, 0);
    }

    function testRejects_proposalWithFlashLoan() external {
        Draft memory draft = _changeDraft();
        draft.description = _named("Mine", address(_borrower));
        VM.expectRevert(_tooFew(address(_borrower), 0));
        _borrower.borrowAndPropose(anna, LOAN, draft);
        VM.assertEq(governor.proposalCount(), 0);
    }

    /// @dev On a clock of seconds several blocks may share one. What was delegated in a second counts from the next one on.
    function testRejects_delegationAndProposalInOneSecond() external {
        VM.prank(anna);
        bool isMoved = token.transfer(STRANGER, THRESHOLD);
        VM.assertTrue(isMoved);
        VM.warp(block.timestamp + 1 days);
        Draft memory draft = _changeDraft();
        draft.description = _named("Mine", STRANGER);
        VM.startPrank(STRANGER);
        token.delegate(STRANGER);
        VM.expectRevert(_tooFew(STRANGER, 0));
        governor.propose(draft.targets, draft.values, draft.calls, draft.description);
        VM.assertEq(governor.proposalCount(), 0);
        VM.warp(block.timestamp + 1);
        governor.propose(draft.targets, draft.values, draft.calls, draft.description);
        VM.stopPrank();
        VM.assertEq(governor.proposalCount(), 1);
    }

    function testRejects_delegationAfterTheSnapshot() external {
        VM.prank(anna);
        bool isMoved = token.transfer(STRANGER, LOAN);
        VM.assertTrue(isMoved);
        uint256 proposal = _proposeAs(BEN);
        _open(proposal);
        VM.prank(STRANGER);
        token.delegate(STRANGER);
        _vote(STRANGER, proposal, FOR);
        _requireVotes(proposal, 0);
    }

    /// @dev The votes of a snapshot are each account's once, wherever the tokens go afterwards.
    function testRejects_votingTwiceWithMovedTokens() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        _vote(anna, proposal, FOR);
        VM.prank(anna);
        bool isMoved = token.transfer(STRANGER, LOAN);
        VM.assertTrue(isMoved);
        VM.prank(STRANGER);
        token.delegate(STRANGER);
        VM.warp(block.timestamp + 1);
        _vote(STRANGER, proposal, FOR);
        _requireVotes(proposal, LOAN);
        VM.prank(anna);
        VM.expectRevert();
        governor.castVote(proposal, FOR);
        _requireVotes(proposal, LOAN);
    }

    function testRejects_voteBeforeSnapshotAndAfterDeadline() external {
        uint256 proposal = _propose(_changeDraft());
        VM.warp(governor.proposalSnapshot(proposal));
        VM.prank(anna);
        VM.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.castVote(proposal, FOR);
        _close(proposal);
        VM.prank(anna);
        VM.expectPartialRevert(IGovernor.GovernorUnexpectedProposalState.selector);
        governor.castVote(proposal, FOR);
        _requireVotes(proposal, 0);
    }

    function testRejects_foreignAndRepeatedSignature() external {
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        bytes memory foreign = _ballot(proposal, FOR, 0xbad);
        VM.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, anna));
        governor.castVoteBySig(proposal, FOR, anna, foreign);
        bytes memory signed = _ballot(proposal, FOR, ANNA_KEY);
        VM.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, anna));
        governor.castVoteBySig(proposal, AGAINST, anna, signed);
        _requireVotes(proposal, 0);
        governor.castVoteBySig(proposal, FOR, anna, signed);
        _requireVotes(proposal, LOAN);
        VM.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, anna));
        governor.castVoteBySig(proposal, FOR, anna, signed);
        _requireVotes(proposal, LOAN);
    }

    function testBehavior_delegateVotesForOthers() external {
        VM.prank(CAROL);
        token.delegate(BEN);
        VM.warp(block.timestamp + 1);
        uint256 proposal = _propose(_changeDraft());
        _open(proposal);
        _vote(BEN, proposal, FOR);
        _vote(CAROL, proposal, FOR);
        _requireVotes(proposal, SUPPLY * 20 / 100);
    }

    function _proposeAs(address proposer) private returns (uint256) {
        Draft memory draft = _changeDraft();
        draft.description = _named("Mine", proposer);
        VM.prank(proposer);
        return governor.propose(draft.targets, draft.values, draft.calls, draft.description);
    }

    function _tooFew(address proposer, uint256 votes) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, proposer, votes, THRESHOLD);
    }

    function _requireVotes(uint256 proposal, uint256 expected) private view {
        (, uint256 forVotes,) = governor.proposalVotes(proposal);
        VM.assertEq(forVotes, expected, "votes for the proposal");
    }
}
