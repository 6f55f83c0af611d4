// SPDX-License-Identifier: Apache-2.0
// Owns the tests of the keys that a vote names. It refuses what would leave a circuit without a key, or change it in passing.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IVerificationKeys} from "../vote/IVerificationKeys.sol";
import {VoteFixture} from "./VoteFixture.sol";

contract VerificationKeysTest is VoteFixture {
    bytes32 private constant HOUR = "meter-4";
    bytes32 private constant DAY = "meter-96";
    bytes32 private constant KEY = keccak256("key");
    bytes32 private constant OTHER_KEY = keccak256("other key");

    function testRejects_strangers() external {
        VM.prank(STRANGER);
        VM.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER));
        parameters.setVerificationKey(HOUR, KEY);
        require(parameters.verificationKeyHash(HOUR) == 0, "a stranger named a key");
    }

    function testRejects_noKeyAndTheSameOnceMore() external {
        VM.startPrank(address(timelock));
        VM.expectRevert(abi.encodeWithSelector(IVerificationKeys.VerificationKeys_Missing.selector, HOUR));
        parameters.setVerificationKey(HOUR, 0);
        parameters.setVerificationKey(HOUR, KEY);
        VM.warp(block.timestamp + 31 days);
        VM.expectRevert(abi.encodeWithSelector(IVerificationKeys.VerificationKeys_Same.selector, HOUR, KEY));
        parameters.setVerificationKey(HOUR, KEY);
        VM.expectRevert(abi.encodeWithSelector(IVerificationKeys.VerificationKeys_Missing.selector, HOUR));
        parameters.setVerificationKey(HOUR, 0);
        VM.stopPrank();
        require(parameters.verificationKeyHash(HOUR) == KEY, "the key was changed");
    }

    function testRejects_anotherKeyWithinTheCoolDown() external {
        VM.startPrank(address(timelock));
        parameters.setVerificationKey(HOUR, KEY);
        uint256 untilS = block.timestamp + 30 days;
        VM.warp(untilS - 1);
        VM.expectRevert(abi.encodeWithSelector(IVerificationKeys.VerificationKeys_CoolingDown.selector, HOUR, untilS));
        parameters.setVerificationKey(HOUR, OTHER_KEY);
        require(parameters.verificationKeyHash(HOUR) == KEY, "the key was changed");
        VM.warp(untilS);
        parameters.setVerificationKey(HOUR, OTHER_KEY);
        VM.stopPrank();
        require(parameters.verificationKeyHash(HOUR) == OTHER_KEY, "the key was not changed");
    }

    function testBehavior_circuitsAreApart() external {
        VM.startPrank(address(timelock));
        parameters.setVerificationKey(HOUR, KEY);
        parameters.setVerificationKey(DAY, OTHER_KEY);
        VM.stopPrank();
        require(parameters.verificationKeyHash(HOUR) == KEY, "not the hour's key");
        require(parameters.verificationKeyHash(DAY) == OTHER_KEY, "not the day's key");
    }
}
