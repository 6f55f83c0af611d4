// SPDX-License-Identifier: Apache-2.0
// Owns the scene of the vote's tests: three members, a treasury, and everything governed handed to the timelock. It refuses to
// touch the contracts' storage: all it does, a deployment or anybody does.
pragma solidity ^0.8.24;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Settlement} from "../settlement/Settlement.sol";
import {Opening, Terms} from "../settlement/SettlementTypes.sol";
import {TestQuote} from "../tokens/TestQuote.sol";
import {CallList} from "../vote/CallList.sol";
import {AllowedCall} from "../vote/ICallList.sol";
import {Grant} from "../vote/IPolderToken.sol";
import {Change, Parameter} from "../vote/IRewardParameters.sol";
import {PolderGovernor, VoteSettings} from "../vote/PolderGovernor.sol";
import {PolderToken} from "../vote/PolderToken.sol";
import {RewardParameters} from "../vote/RewardParameters.sol";
import {Cheats} from "./Cheats.sol";

/// @notice What is proposed.
struct Draft {
    address[] targets;
    uint256[] values;
    bytes[] calls;
    string description;
}

abstract contract VoteFixture is Cheats {
    bytes32 internal constant REGION = "polder-one";
    address internal constant OPERATOR = address(0x0c);
    address internal constant STRANGER = address(0x0d);
    address internal constant GUARDIAN = address(0x0b);
    uint256 internal constant ANNA_KEY = 0xa11a;
    address internal constant BEN = address(0xbe11);
    address internal constant CAROL = address(0xca01);
    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;

    uint48 internal constant VOTING_DELAY = 1 days;
    uint32 internal constant VOTING_PERIOD = 4 days;
    uint48 internal constant EXTENSION = 2 days;
    uint256 internal constant TIMELOCK_DELAY = 2 days;
    uint256 internal constant QUORUM = 20;
    uint256 internal constant THRESHOLD = 1_000 ether;
    uint256 internal constant SUPPLY = 1_000_000 ether;
    uint256 internal constant CAP = 10_000_000 ether;
    uint256 internal constant MOST_PER_DAY = 2_000 ether;
    uint256 internal constant EPOCH_SECONDS = 1 days;
    uint64 internal constant FIRST_EPOCH = 20_000;
    uint128 internal constant EMISSION = 1_000 ether;

    address internal anna;
    TestQuote internal quote;
    Settlement internal settlement;
    TimelockController internal timelock;
    PolderToken internal token;
    CallList internal callList;
    PolderGovernor internal governor;
    RewardParameters internal parameters;

    function setUp() public virtual {
        VM.warp(FIRST_EPOCH * EPOCH_SECONDS);
        anna = VM.addr(ANNA_KEY);
        quote = new TestQuote();
        settlement = new Settlement(quote, address(this), GUARDIAN);
        timelock = new TimelockController(TIMELOCK_DELAY, new address[](0), new address[](0), address(this));
        // Of the supply anna has 30 %, ben 15 %, carol 5 %; the treasury has half, and does not vote.
        Grant[] memory members = new Grant[](3);
        members[0] = Grant(anna, SUPPLY * 30 / 100);
        members[1] = Grant(BEN, SUPPLY * 15 / 100);
        members[2] = Grant(CAROL, SUPPLY * 5 / 100);
        token = new PolderToken(address(settlement), address(timelock), SUPPLY / 2, members, CAP, MOST_PER_DAY);
        callList = new CallList(address(this));
        governor = new PolderGovernor(token, timelock, callList, _settings());
        parameters = new RewardParameters(settlement, address(this));
        settlement.setRewardToken(token);
        settlement.setTermsKeeper(address(parameters));
        settlement.openRegion(REGION, _opening());
        parameters.open(REGION, _values());
        callList.allow(_calls());
        _handOver();
        VM.warp(block.timestamp + 1);
    }

    function _settings() internal pure returns (VoteSettings memory) {
        return VoteSettings({
            votingDelaySeconds: VOTING_DELAY,
            votingPeriodSeconds: VOTING_PERIOD,
            lateQuorumSeconds: EXTENSION,
            quorumPercent: QUORUM,
            proposalThreshold: THRESHOLD,
            guardian: GUARDIAN
        });
    }

    function _opening() internal pure returns (Opening memory) {
        return _openingFrom(FIRST_EPOCH);
    }

    function _openingFrom(uint64 epoch) internal pure returns (Opening memory) {
        Terms memory terms = Terms({
            fromEpoch: epoch,
            outflowCapBps: 2_500,
            finalityDelaySeconds: 2 days,
            exitAfterSeconds: 20 days,
            leastDepositMicros: 1_000_000,
            emissionDecayBps: 10,
            emissionPerEpoch: EMISSION
        });
        return Opening({operator: OPERATOR, windowSlots: 4, epochSlots: 96, terms: terms});
    }

    /// @dev In the order of `Parameter`.
    function _values() internal pure returns (uint256[19] memory) {
        uint256 perFee = 50 ether;
        return [
            uint256(1),
            0,
            0,
            EMISSION,
            10,
            perFee,
            2_500,
            100,
            20_000,
            5_000,
            3_600,
            2_500,
            2 days,
            20 days,
            1_000_000,
            50_000_000,
            14 days,
            1_000,
            500
        ];
    }

    /// @dev What the tests' proposals call.
    function _calls() private view returns (AllowedCall[] memory calls) {
        calls = new AllowedCall[](7);
        calls[0] = AllowedCall(address(parameters), parameters.change.selector);
        calls[1] = AllowedCall(address(quote), quote.transfer.selector);
        calls[2] = AllowedCall(address(callList), callList.allow.selector);
        calls[3] = AllowedCall(address(callList), callList.forbid.selector);
        calls[4] = AllowedCall(address(governor), governor.setProposalGuardian.selector);
        calls[5] = AllowedCall(address(governor), governor.updateQuorumNumerator.selector);
        calls[6] = AllowedCall(address(settlement), settlement.uphold.selector);
    }

    function _handOver() private {
        settlement.transferOwnership(address(timelock));
        callList.transferOwnership(address(timelock));
        parameters.transferOwnership(address(timelock));
        timelock.grantRole(timelock.PROPOSER_ROLE(), address(governor));
        timelock.grantRole(timelock.CANCELLER_ROLE(), address(governor));
        timelock.grantRole(timelock.EXECUTOR_ROLE(), address(governor));
        timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), address(this));
    }

    function _named(string memory text, address proposer) internal pure returns (string memory) {
        return string.concat(text, "\n#proposer=", VM.toString(proposer));
    }

    /// @dev One call, in anna's name.
    function _draft(address target, bytes memory call) internal view returns (Draft memory draft) {
        draft.targets = new address[](1);
        draft.values = new uint256[](1);
        draft.calls = new bytes[](1);
        draft.targets[0] = target;
        draft.calls[0] = call;
        draft.description = _named("Something to decide", anna);
    }

    /// @dev A small, allowed step.
    function _changeDraft() internal view returns (Draft memory) {
        return _draft(address(parameters), _changeCall(Parameter.TakeRateBps, 120));
    }

    function _changeCall(Parameter parameter, uint256 value) internal view returns (bytes memory) {
        Change[] memory changes = new Change[](1);
        changes[0] = Change(parameter, value);
        return abi.encodeCall(parameters.change, (REGION, changes));
    }

    function _propose(Draft memory draft) internal returns (uint256) {
        VM.prank(anna);
        return governor.propose(draft.targets, draft.values, draft.calls, draft.description);
    }

    function _vote(address voter, uint256 proposal, uint8 support) internal {
        VM.prank(voter);
        governor.castVote(proposal, support);
    }

    /// @dev A ballot of anna's first signature, signed by a key.
    function _ballot(uint256 proposal, uint8 support, uint256 key) internal view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("PolderGovernor"),
                keccak256("1"),
                block.chainid,
                address(governor)
            )
        );
        bytes32 ballot = keccak256(abi.encode(governor.BALLOT_TYPEHASH(), proposal, support, anna, 0));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, keccak256(abi.encodePacked(hex"1901", domain, ballot)));
        return abi.encodePacked(r, s, v);
    }

    /// @dev To the first second in which it may be voted on.
    function _open(uint256 proposal) internal {
        VM.warp(governor.proposalSnapshot(proposal) + 1);
    }

    /// @dev To the first second after the vote.
    function _close(uint256 proposal) internal {
        VM.warp(governor.proposalDeadline(proposal) + 1);
    }

    function _requireState(uint256 proposal, IGovernor.ProposalState expected) internal view {
        VM.assertEq(uint256(governor.state(proposal)), uint256(expected), "state of the proposal");
    }

    /// @dev Proposed, passed by anna alone, and queued; not yet due.
    function _queued(Draft memory draft) internal returns (uint256 proposal) {
        proposal = _propose(draft);
        _open(proposal);
        _vote(anna, proposal, FOR);
        _close(proposal);
        governor.queue(proposal);
    }

    /// @dev The same, and due.
    function _due(Draft memory draft) internal returns (uint256 proposal) {
        proposal = _queued(draft);
        VM.warp(governor.proposalEta(proposal));
    }

    function _pass(Draft memory draft) internal {
        uint256 proposal = _due(draft);
        governor.execute(proposal);
    }

    function _valueOf(Parameter parameter) internal view returns (uint256) {
        uint256 newest = parameters.versionCount(REGION) - 1;
        return parameters.versionOf(REGION, newest).values[uint256(parameter)];
    }
}
