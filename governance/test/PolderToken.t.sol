// SPDX-License-Identifier: Apache-2.0
// Owns the tests of the token: who mints, how much by when, and what the beginning gives. It refuses a mint beyond the ceiling
// even by Settlement.
pragma solidity ^0.8.24;

import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Grant, IPolderToken} from "../vote/IPolderToken.sol";
import {PolderToken} from "../vote/PolderToken.sol";
import {VoteFixture} from "./VoteFixture.sol";

contract PolderTokenTest is VoteFixture {
    function testRejects_everyMinterButSettlement() external {
        VM.warp(block.timestamp + 30 days);
        address[5] memory callers = [STRANGER, anna, OPERATOR, address(timelock), address(governor)];
        for (uint256 index = 0; index < callers.length; ++index) {
            VM.prank(callers[index]);
            VM.expectRevert(abi.encodeWithSelector(IPolderToken.PolderToken_NotSettlement.selector, callers[index]));
            token.mint(callers[index], 1);
        }
        VM.assertEq(token.totalSupply(), SUPPLY);
    }

    function testRejects_mintBeyondCeiling() external {
        VM.warp(token.bornAtS() + 10 days);
        _refuseMint(10 * MOST_PER_DAY + 1, 10 * MOST_PER_DAY);
        _mint(4 * MOST_PER_DAY);
        _refuseMint(6 * MOST_PER_DAY + 1, 6 * MOST_PER_DAY);
        _mint(6 * MOST_PER_DAY);
        _refuseMint(1, 0);
        VM.assertEq(token.mintedRewards(), 10 * MOST_PER_DAY);
        VM.assertEq(token.totalSupply(), SUPPLY + 10 * MOST_PER_DAY);
    }

    function testRejects_mintInTheFirstSecond() external {
        PolderToken fresh = _token(new Grant[](0), 0, CAP);
        VM.prank(address(settlement));
        VM.expectRevert(abi.encodeWithSelector(IPolderToken.PolderToken_AboveCeiling.selector, 1, 0));
        fresh.mint(anna, 1);
    }

    /// @dev However long nothing was minted.
    function testRejects_mintBeyondCap() external {
        VM.warp(token.bornAtS() + 100_000 days);
        uint256 room = CAP - SUPPLY;
        _refuseMint(room + 1, room);
        _mint(room);
        VM.assertEq(token.totalSupply(), CAP);
        _refuseMint(1, 0);
    }

    function testRejects_beginningBeyondCap() external {
        bytes memory refused = abi.encodeWithSelector(IPolderToken.PolderToken_AboveCap.selector, 101, 100);
        VM.expectRevert(refused);
        _token(new Grant[](0), 101, 100);
        Grant[] memory members = new Grant[](1);
        members[0] = Grant(anna, 41);
        VM.expectRevert(refused);
        _token(members, 60, 100);
    }

    function testRejects_capThatVotesCannotCount() external {
        uint256 most = type(uint208).max;
        VM.expectRevert(abi.encodeWithSelector(ERC20Votes.ERC20ExceededSafeSupply.selector, most + 1, most));
        _token(new Grant[](0), most + 1, type(uint256).max);
    }

    function testRejects_settlementThatIsNoContract() external {
        VM.expectRevert(IPolderToken.PolderToken_SettlementMissing.selector);
        new PolderToken(STRANGER, address(timelock), 0, new Grant[](0), CAP, MOST_PER_DAY);
    }

    function testBehavior_beginningDelegatesMembersAndNotTheTreasury() external view {
        VM.assertEq(token.balanceOf(anna), SUPPLY * 30 / 100);
        VM.assertEq(token.getVotes(anna), SUPPLY * 30 / 100);
        VM.assertEq(token.getVotes(CAROL), SUPPLY * 5 / 100);
        VM.assertEq(token.balanceOf(address(timelock)), SUPPLY / 2);
        VM.assertEq(token.getVotes(address(timelock)), 0);
        VM.assertEq(token.delegates(address(timelock)), address(0));
    }

    function testBehavior_clockIsTheChainsTime() external {
        VM.warp(4_000_000_000);
        VM.assertEq(token.clock(), 4_000_000_000);
        VM.assertEq(keccak256(bytes(token.CLOCK_MODE())), keccak256("mode=timestamp"));
        VM.assertEq(governor.clock(), 4_000_000_000);
        VM.assertEq(keccak256(bytes(governor.CLOCK_MODE())), keccak256("mode=timestamp"));
    }

    /// @dev A year's rewards at once are as good as a day's every day.
    function testProperty_neverAboveCeilingAndNeverLost(uint256 seed) external {
        uint256 bornAtS = token.bornAtS();
        for (uint256 turn = 0; turn < 20; ++turn) {
            seed = uint256(keccak256(abi.encode(seed)));
            VM.warp(block.timestamp + _within(seed, 0, 5 days));
            uint256 room = token.mintableNow();
            uint256 ceiling = MOST_PER_DAY * (block.timestamp - bornAtS) / 1 days;
            VM.assertEq(token.mintedRewards() + room, ceiling);
            _refuseMint(room + 1, room);
            _mint(_within(seed >> 128, 0, room));
            VM.assertLe(token.mintedRewards(), ceiling);
            VM.assertEq(token.totalSupply(), SUPPLY + token.mintedRewards());
        }
    }

    function _token(Grant[] memory members, uint256 treasuryAmount, uint256 cap) private returns (PolderToken) {
        return new PolderToken(address(settlement), address(timelock), treasuryAmount, members, cap, MOST_PER_DAY);
    }

    function _mint(uint256 amount) private {
        VM.prank(address(settlement));
        token.mint(BEN, amount);
    }

    function _refuseMint(uint256 amount, uint256 most) private {
        VM.prank(address(settlement));
        VM.expectRevert(abi.encodeWithSelector(IPolderToken.PolderToken_AboveCeiling.selector, amount, most));
        token.mint(BEN, amount);
    }
}
