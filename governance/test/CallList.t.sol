// SPDX-License-Identifier: Apache-2.0
// Owns the tests of the list of allowed calls, and of targets that change their code between vote and execution. It refuses
// every call that nobody listed.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {AllowedCall, ICallList} from "../vote/ICallList.sol";
import {Draft, VoteFixture} from "./VoteFixture.sol";

/// @notice Looks harmless.
contract Lure {
    uint256 public calls;

    function decide() external virtual {
        ++calls;
    }
}

/// @notice What the lure becomes.
contract Trap is Lure {
    function decide() external override {
        calls = type(uint256).max;
    }
}

contract CallListTest is VoteFixture {
    Lure private _lure;

    function setUp() public override {
        super.setUp();
        _lure = new Lure();
    }

    function testRejects_callsThatAreNotListed() external {
        bytes4 selector = settlement.transferOwnership.selector;
        _refuse(
            _draft(address(settlement), abi.encodeCall(settlement.transferOwnership, (anna))),
            abi.encodeWithSelector(ICallList.CallList_NotAllowed.selector, address(settlement), selector)
        );
        // The function is listed, but of another contract.
        _refuse(
            _draft(address(token), abi.encodeCall(token.transfer, (anna, 1))),
            abi.encodeWithSelector(ICallList.CallList_NotAllowed.selector, address(token), token.transfer.selector)
        );
        // Among listed ones, and last.
        Draft memory draft = _changeDraft();
        draft.targets = new address[](2);
        draft.values = new uint256[](2);
        draft.calls = new bytes[](2);
        draft.targets[0] = address(quote);
        draft.calls[0] = abi.encodeCall(quote.transfer, (anna, 1));
        draft.targets[1] = address(_lure);
        draft.calls[1] = abi.encodeCall(_lure.decide, ());
        _refuse(
            draft, abi.encodeWithSelector(ICallList.CallList_NotAllowed.selector, address(_lure), _lure.decide.selector)
        );
    }

    /// @dev The timelock would do as it is told; so the roles are not on the list.
    function testRejects_extraProposerByProposal() external {
        bytes32 role = timelock.PROPOSER_ROLE();
        _refuse(
            _draft(address(timelock), abi.encodeCall(timelock.grantRole, (role, STRANGER))),
            abi.encodeWithSelector(
                ICallList.CallList_NotAllowed.selector, address(timelock), timelock.grantRole.selector
            )
        );
        _refuse(
            _draft(address(timelock), abi.encodeCall(timelock.updateDelay, (0))),
            abi.encodeWithSelector(
                ICallList.CallList_NotAllowed.selector, address(timelock), timelock.updateDelay.selector
            )
        );
        _refuse(
            _draft(address(governor), abi.encodeCall(governor.relay, (address(quote), 0, ""))),
            abi.encodeWithSelector(ICallList.CallList_NotAllowed.selector, address(governor), governor.relay.selector)
        );
    }

    function testRejects_etherAndCallsWithoutAFunction() external {
        Draft memory draft = _changeDraft();
        draft.values[0] = 1;
        _refuse(draft, abi.encodeWithSelector(ICallList.CallList_EtherRefused.selector, address(parameters), 1));
        _refuse(
            _draft(address(parameters), hex"010203"),
            abi.encodeWithSelector(ICallList.CallList_NoSelector.selector, address(parameters), 3)
        );
        draft = _changeDraft();
        draft.values = new uint256[](2);
        _refuse(draft, abi.encodeWithSelector(ICallList.CallList_Lengths.selector, 1, 2, 1));
    }

    function testRejects_targetThatChangedBeforeItIsProposed() external {
        (bytes32 pinned, bytes32 found) = _listAndSwitch();
        _refuse(
            _lureDraft(), abi.encodeWithSelector(ICallList.CallList_CodeChanged.selector, address(_lure), pinned, found)
        );
    }

    /// @dev Voted on as one thing, executed as another.
    function testRejects_targetThatChangedAfterTheVote() external {
        _list(address(_lure));
        uint256 proposal = _due(_lureDraft());
        bytes memory honest = address(_lure).code;
        (bytes32 pinned, bytes32 found) = _switch();
        VM.expectRevert(abi.encodeWithSelector(ICallList.CallList_CodeChanged.selector, address(_lure), pinned, found));
        governor.execute(proposal);
        VM.assertEq(_lure.calls(), 0);
        _requireState(proposal, IGovernor.ProposalState.Queued);
        // It is the code that is refused, not the proposal.
        VM.etch(address(_lure), honest);
        governor.execute(proposal);
        VM.assertEq(_lure.calls(), 1);
    }

    /// @dev What is listed anew is pinned to the new code; a function listed earlier is not.
    function testRejects_functionListedBeforeTheSwitch() external {
        _list(address(_lure));
        _switch();
        AllowedCall[] memory calls = new AllowedCall[](1);
        calls[0] = AllowedCall(address(_lure), _lure.calls.selector);
        VM.prank(address(timelock));
        callList.allow(calls);
        VM.prank(anna);
        VM.expectPartialRevert(ICallList.CallList_CodeChanged.selector);
        Draft memory draft = _lureDraft();
        governor.propose(draft.targets, draft.values, draft.calls, draft.description);
    }

    function testRejects_callTakenOffTheListAfterTheVote() external {
        uint256 proposal = _due(_changeDraft());
        AllowedCall[] memory calls = new AllowedCall[](1);
        calls[0] = AllowedCall(address(parameters), parameters.change.selector);
        VM.prank(address(timelock));
        callList.forbid(calls);
        VM.expectRevert(
            abi.encodeWithSelector(
                ICallList.CallList_NotAllowed.selector, address(parameters), parameters.change.selector
            )
        );
        governor.execute(proposal);
        VM.assertEq(parameters.versionCount(REGION), 1);
    }

    /// @dev Neither an account without code, nor one that has lent itself a contract's.
    function testRejects_listingAnAccount() external {
        AllowedCall[] memory calls = new AllowedCall[](1);
        calls[0] = AllowedCall(BEN, _lure.decide.selector);
        VM.startPrank(address(timelock));
        VM.expectRevert(abi.encodeWithSelector(ICallList.CallList_NoContract.selector, BEN));
        callList.allow(calls);
        VM.etch(BEN, abi.encodePacked(hex"ef0100", address(_lure)));
        VM.expectRevert(abi.encodeWithSelector(ICallList.CallList_NoContract.selector, BEN));
        callList.allow(calls);
        VM.stopPrank();
        VM.assertEq(callList.codeHashOf(BEN, _lure.decide.selector), bytes32(0));
    }

    function testRejects_strangersAndUnlistedCalls() external {
        AllowedCall[] memory calls = new AllowedCall[](1);
        calls[0] = AllowedCall(address(_lure), _lure.decide.selector);
        bytes memory refused = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER);
        VM.startPrank(STRANGER);
        VM.expectRevert(refused);
        callList.allow(calls);
        VM.expectRevert(refused);
        callList.forbid(calls);
        VM.expectRevert(refused);
        callList.renounceOwnership();
        VM.stopPrank();
        VM.startPrank(address(timelock));
        VM.expectRevert(
            abi.encodeWithSelector(ICallList.CallList_NotAllowed.selector, address(_lure), _lure.decide.selector)
        );
        callList.forbid(calls);
        VM.expectRevert(ICallList.CallList_OwnerNeeded.selector);
        callList.renounceOwnership();
        VM.stopPrank();
    }

    /// @dev A vote that closed the list would be the last one on most things.
    function testRejects_closingTheListForEver() external {
        AllowedCall[] memory calls = new AllowedCall[](1);
        bytes4[2] memory own = [callList.allow.selector, callList.forbid.selector];
        for (uint256 index = 0; index < 2; ++index) {
            calls[0] = AllowedCall(address(callList), own[index]);
            VM.prank(address(timelock));
            VM.expectRevert(abi.encodeWithSelector(ICallList.CallList_KeptForEver.selector, own[index]));
            callList.forbid(calls);
            VM.assertEq(callList.codeHashOf(address(callList), own[index]), address(callList).codehash);
        }
    }

    /// @dev What is missing is put on the list by one vote and called by another.
    function testBehavior_voteExtendsTheListAndThenUsesIt() external {
        AllowedCall[] memory calls = new AllowedCall[](1);
        calls[0] = AllowedCall(address(_lure), _lure.decide.selector);
        _pass(_draft(address(callList), abi.encodeCall(callList.allow, (calls))));
        VM.assertEq(callList.codeHashOf(address(_lure), _lure.decide.selector), address(_lure).codehash);
        _pass(_lureDraft());
        VM.assertEq(_lure.calls(), 1);
    }

    function _lureDraft() private view returns (Draft memory draft) {
        draft = _draft(address(_lure), abi.encodeCall(_lure.decide, ()));
        draft.description = _named("The lure", anna);
    }

    function _list(address target) private {
        AllowedCall[] memory calls = new AllowedCall[](1);
        calls[0] = AllowedCall(target, _lure.decide.selector);
        VM.prank(address(timelock));
        callList.allow(calls);
    }

    function _switch() private returns (bytes32 pinned, bytes32 found) {
        pinned = address(_lure).codehash;
        VM.etch(address(_lure), address(new Trap()).code);
        found = address(_lure).codehash;
    }

    function _listAndSwitch() private returns (bytes32 pinned, bytes32 found) {
        _list(address(_lure));
        return _switch();
    }

    function _refuse(Draft memory draft, bytes memory error_) private {
        VM.prank(anna);
        VM.expectRevert(error_);
        governor.propose(draft.targets, draft.values, draft.calls, draft.description);
        VM.assertEq(governor.proposalCount(), 0);
    }
}
