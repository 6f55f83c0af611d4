// SPDX-License-Identifier: Apache-2.0
// Owns the gas of a proposal's life, as whole transactions, and the size of the vote's contracts. It refuses none; the figures
// are kept in governance/snapshots and compared in every run.
pragma solidity ^0.8.24;

import {Change, Parameter} from "../vote/IRewardParameters.sol";
import {Draft, VoteFixture} from "./VoteFixture.sol";

/// forge-config: default.isolate = true
contract VoteGasTest is VoteFixture {
    string private constant GROUP = "Vote";

    function testBehavior_gasOfALife() external {
        Draft memory draft = _draft(address(parameters), _changeCall(Parameter.EmissionPerEpoch, 900 ether));
        uint256 proposal = _propose(draft);
        VM.snapshotGasLastCall(GROUP, "propose");
        _open(proposal);
        _vote(CAROL, proposal, FOR);
        VM.snapshotGasLastCall(GROUP, "first vote");
        VM.prank(BEN);
        governor.castVoteWithReason(proposal, AGAINST, "It is too early to say what the last change did.");
        VM.snapshotGasLastCall(GROUP, "vote with a reason");
        governor.castVoteBySig(proposal, FOR, anna, _ballot(proposal, FOR, ANNA_KEY));
        VM.snapshotGasLastCall(GROUP, "vote by signature");
        _close(proposal);
        governor.queue(proposal);
        VM.snapshotGasLastCall(GROUP, "queue");
        VM.warp(governor.proposalEta(proposal));
        governor.execute(proposal);
        VM.snapshotGasLastCall(GROUP, "execute, a change of values and terms");
    }

    function testBehavior_gasOfSmallerExecutions() external {
        uint256 proposal = _due(_changeDraft());
        governor.execute(proposal);
        VM.snapshotGasLastCall(GROUP, "execute, a change of values");
        quote.mint(address(timelock), 1);
        proposal = _due(_draft(address(quote), abi.encodeCall(quote.transfer, (CAROL, 1))));
        governor.execute(proposal);
        VM.snapshotGasLastCall(GROUP, "execute, a payment");
    }

    function testBehavior_gasOfDelegating() external {
        VM.prank(CAROL);
        token.delegate(BEN);
        VM.snapshotGasLastCall(GROUP, "delegate");
    }

    /// @dev A chain takes contracts of up to 24,576 bytes.
    function testBehavior_codeSizes() external {
        VM.snapshotValue(GROUP, "bytes of PolderGovernor", address(governor).code.length);
        VM.snapshotValue(GROUP, "bytes of PolderToken", address(token).code.length);
        VM.snapshotValue(GROUP, "bytes of RewardParameters", address(parameters).code.length);
        VM.snapshotValue(GROUP, "bytes of CallList", address(callList).code.length);
        VM.snapshotValue(GROUP, "bytes of Settlement", address(settlement).code.length);
        VM.assertLe(address(governor).code.length, 24_576);
    }
}
