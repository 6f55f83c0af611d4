// SPDX-License-Identifier: Apache-2.0
// Owns the tests of the vote's own settings. It refuses those that would make every later vote too short, too small, or
// impossible.
pragma solidity ^0.8.24;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {PolderGovernor, VoteSettings} from "../vote/PolderGovernor.sol";
import {VoteLimits} from "../vote/VoteLimits.sol";
import {VoteFixture} from "./VoteFixture.sol";

contract VoteSettingsTest is VoteFixture {
    uint256 private constant MAINNET = 1;

    function testRejects_shortTimesOffTheLocalChain() external {
        VM.chainId(MAINNET);
        _begin(_settings());
        VoteSettings memory settings = _settings();
        settings.votingDelaySeconds = 1 hours - 1;
        _refuse(settings, "votingDelay", 1 hours - 1, 1 hours, 14 days);
        settings = _settings();
        settings.votingPeriodSeconds = 1 days - 1;
        _refuse(settings, "votingPeriod", 1 days - 1, 1 days, 30 days);
        settings = _settings();
        settings.lateQuorumSeconds = 6 hours - 1;
        _refuse(settings, "lateQuorumVoteExtension", 6 hours - 1, 6 hours, 30 days);
    }

    /// @dev A snapshot in the proposal's own second could still be borrowed into.
    function testRejects_noDelayAtAllAnywhere() external {
        VoteSettings memory settings = _settings();
        (settings.votingDelaySeconds, settings.votingPeriodSeconds, settings.lateQuorumSeconds) = (1, 1, 1);
        _begin(settings);
        settings.votingDelaySeconds = 0;
        _refuse(settings, "votingDelay", 0, 1, 14 days);
        settings.votingDelaySeconds = 1;
        settings.votingPeriodSeconds = 0;
        _refuse(settings, "votingPeriod", 0, 1, 30 days);
        settings.votingPeriodSeconds = 1;
        settings.lateQuorumSeconds = 0;
        _refuse(settings, "lateQuorumVoteExtension", 0, 1, 30 days);
    }

    function testRejects_votesThatNeverEnd() external {
        VoteSettings memory settings = _settings();
        settings.votingDelaySeconds = 14 days + 1;
        _refuse(settings, "votingDelay", 14 days + 1, 1, 14 days);
        settings = _settings();
        settings.votingPeriodSeconds = 30 days + 1;
        _refuse(settings, "votingPeriod", 30 days + 1, 1, 30 days);
        settings = _settings();
        settings.lateQuorumSeconds = VOTING_PERIOD + 1;
        VM.expectPartialRevert(GovernorPreventLateQuorum.GovernorPreventLateQuorumVoteExtensionTooLarge.selector);
        _begin(settings);
    }

    function testRejects_quorumOfNobodyAndOfTooMany() external {
        VoteSettings memory settings = _settings();
        settings.quorumPercent = 0;
        _refuse(settings, "quorum", 0, 1, 50);
        settings.quorumPercent = 51;
        _refuse(settings, "quorum", 51, 1, 50);
    }

    function testRejects_thresholdThatNobodyReaches() external {
        uint256 most = SUPPLY * VoteLimits.MAX_THRESHOLD_PERCENT / 100;
        VoteSettings memory settings = _settings();
        settings.proposalThreshold = most;
        _begin(settings);
        settings.proposalThreshold = most + 1;
        _refuse(settings, "proposalThreshold", most + 1, 0, most);
    }

    /// @dev Whoever is not a vote.
    function testRejects_settingsFromAnybodyElse() external {
        bytes memory refused = abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, anna);
        VM.startPrank(anna);
        VM.expectRevert(refused);
        governor.setVotingDelay(1 hours);
        VM.expectRevert(refused);
        governor.setVotingPeriod(1 days);
        VM.expectRevert(refused);
        governor.setProposalThreshold(0);
        VM.expectRevert(refused);
        governor.updateQuorumNumerator(1);
        VM.expectRevert(refused);
        governor.setProposalGuardian(anna);
        VM.expectRevert(refused);
        governor.updateTimelock(timelock);
        VM.stopPrank();
    }

    /// @dev A vote that would abolish the quorum passes, and cannot be executed.
    function testRejects_voteThatAbolishesTheQuorum() external {
        uint256 proposal = _due(_draft(address(governor), abi.encodeCall(governor.updateQuorumNumerator, (0))));
        VM.expectRevert(_outOfBounds("quorum", 0, 1, 50));
        governor.execute(proposal);
        VM.assertEq(governor.quorumNumerator(), QUORUM);
        _requireState(proposal, IGovernor.ProposalState.Queued);
    }

    function testBehavior_voteChangesTheQuorum() external {
        _pass(_draft(address(governor), abi.encodeCall(governor.updateQuorumNumerator, (25))));
        VM.assertEq(governor.quorumNumerator(), 25);
    }

    function _begin(VoteSettings memory settings) private {
        new PolderGovernor(token, timelock, callList, settings);
    }

    function _refuse(VoteSettings memory settings, string memory setting, uint256 value, uint256 least, uint256 most)
        private
    {
        VM.expectRevert(_outOfBounds(setting, value, least, most));
        _begin(settings);
    }

    function _outOfBounds(string memory setting, uint256 value, uint256 least, uint256 most)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            PolderGovernor.PolderGovernor_SettingOutOfBounds.selector, setting, value, least, most
        );
    }
}
