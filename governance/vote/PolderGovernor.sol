// SPDX-License-Identifier: Apache-2.0
// Owns how a vote goes: proposed, voted on, queued in the timelock, executed. It refuses calls that are not on the list, a
// proposal that does not name its proposer, and settings that would make votes meaningless.
pragma solidity ^0.8.24;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorProposalGuardian} from "@openzeppelin/contracts/governance/extensions/GovernorProposalGuardian.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorStorage} from "@openzeppelin/contracts/governance/extensions/GovernorStorage.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {
    GovernorVotesQuorumFraction
} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {ICallList} from "./ICallList.sol";
import {PolderToken} from "./PolderToken.sol";
import {VoteLimits} from "./VoteLimits.sol";

/// @notice What a vote may change of itself, within `VoteLimits`.
struct VoteSettings {
    /// From a proposal to its snapshot.
    uint48 votingDelaySeconds;
    uint32 votingPeriodSeconds;
    /// How long a vote is open at least after its quorum was reached.
    uint48 lateQuorumSeconds;
    /// Of all tokens there were at the snapshot, those of the treasury included.
    uint256 quorumPercent;
    /// Votes that a proposer needs. Base units of the token.
    uint256 proposalThreshold;
    /// Who may cancel proposals; zero for nobody but their proposers.
    address guardian;
}

/// @title Polder's governor
/// @notice OpenZeppelin's, on the token's time. Anybody may queue and execute what was passed; nobody may do so on the timelock
/// itself, whose only proposer, canceller and executor this is.
/// @dev - *The proposer is named:* every description ends with `#proposer=0x…`, so whoever copies a proposal out of the pool,
///   to cancel it as its own, makes another one.
/// - *Calls are checked twice* against the list, when proposed and when executed: in between a call may have been taken off
///   it, or a target's code changed.
/// - *The guardian* can stop any proposal but the one that dismisses it alone: it is a brake, and a vote can take it away.
contract PolderGovernor is
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorPreventLateQuorum,
    GovernorProposalGuardian,
    GovernorStorage,
    GovernorTimelockControl
{
    bytes10 private constant MARKER = "#proposer=";
    /// @dev 0x and forty digits.
    uint256 private constant ADDRESS_LENGTH = 42;

    ICallList public immutable callList;

    error PolderGovernor_ProposerNotNamed(address proposer);
    error PolderGovernor_SettingOutOfBounds(string setting, uint256 value, uint256 least, uint256 most);

    constructor(PolderToken token_, TimelockController timelock_, ICallList callList_, VoteSettings memory settings)
        Governor("PolderGovernor")
        GovernorSettings(settings.votingDelaySeconds, settings.votingPeriodSeconds, settings.proposalThreshold)
        GovernorVotes(token_)
        GovernorVotesQuorumFraction(settings.quorumPercent)
        GovernorPreventLateQuorum(settings.lateQuorumSeconds)
        GovernorTimelockControl(timelock_)
    {
        callList = callList_;
        _setProposalGuardian(settings.guardian);
        _requireThreshold(settings.proposalThreshold);
    }

    /// @inheritdoc GovernorSettings
    function setProposalThreshold(uint256 threshold) public override {
        _requireThreshold(threshold);
        super.setProposalThreshold(threshold);
    }

    /// @inheritdoc Governor
    function state(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    /// @inheritdoc Governor
    function proposalDeadline(uint256 proposalId)
        public
        view
        override(Governor, GovernorPreventLateQuorum)
        returns (uint256)
    {
        return super.proposalDeadline(proposalId);
    }

    /// @inheritdoc Governor
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    /// @inheritdoc Governor
    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override(Governor, GovernorStorage) returns (uint256) {
        callList.requireAllowed(targets, values, calldatas);
        return super._propose(targets, values, calldatas, description, proposer);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        callList.requireAllowed(targets, values, calldatas);
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _validateCancel(uint256 proposalId, address caller)
        internal
        view
        override(Governor, GovernorProposalGuardian)
        returns (bool)
    {
        if (caller == proposalGuardian() && _isDismissal(proposalId)) {
            return Governor._validateCancel(proposalId, caller);
        }
        return super._validateCancel(proposalId, caller);
    }

    /// @dev OpenZeppelin lets a description name nobody.
    function _isValidDescriptionForProposer(address proposer, string memory description)
        internal
        pure
        override
        returns (bool)
    {
        bytes memory text = bytes(description);
        uint256 length = text.length;
        bool isNamed = length >= MARKER.length + ADDRESS_LENGTH;
        for (uint256 index = 0; isNamed && index < MARKER.length; ++index) {
            isNamed = text[length - ADDRESS_LENGTH - MARKER.length + index] == MARKER[index];
        }
        if (!isNamed) revert PolderGovernor_ProposerNotNamed(proposer);
        (bool isAddress, address named) = Strings.tryParseAddress(description, length - ADDRESS_LENGTH, length);
        return isAddress && named == proposer;
    }

    function _setVotingDelay(uint48 delayS) internal override {
        _requireTime("votingDelay", delayS, VoteLimits.MIN_DELAY_SECONDS, VoteLimits.MAX_DELAY_SECONDS);
        super._setVotingDelay(delayS);
    }

    function _setVotingPeriod(uint32 periodS) internal override {
        _requireTime("votingPeriod", periodS, VoteLimits.MIN_PERIOD_SECONDS, VoteLimits.MAX_PERIOD_SECONDS);
        super._setVotingPeriod(periodS);
    }

    function _setLateQuorumVoteExtension(uint48 extensionS) internal override {
        uint256 leastS = VoteLimits.MIN_EXTENSION_SECONDS;
        _requireTime("lateQuorumVoteExtension", extensionS, leastS, VoteLimits.MAX_PERIOD_SECONDS);
        super._setLateQuorumVoteExtension(extensionS);
    }

    function _updateQuorumNumerator(uint256 percent) internal override {
        _requireSetting("quorum", percent, VoteLimits.MIN_QUORUM_PERCENT, VoteLimits.MAX_QUORUM_PERCENT);
        super._updateQuorumNumerator(percent);
    }

    /// @dev A vote of one call that names another guardian, or none.
    function _isDismissal(uint256 proposalId) private view returns (bool) {
        (address[] memory targets,, bytes[] memory calldatas,) = proposalDetails(proposalId);
        return
            targets.length == 1 && targets[0] == address(this)
                && bytes4(calldatas[0]) == this.setProposalGuardian.selector;
    }

    function _requireThreshold(uint256 threshold) private view {
        uint256 supply = PolderToken(address(token())).totalSupply();
        _requireSetting("proposalThreshold", threshold, 0, supply * VoteLimits.MAX_THRESHOLD_PERCENT / 100);
    }

    function _requireTime(string memory setting, uint256 valueS, uint256 leastS, uint256 mostS) private view {
        _requireSetting(setting, valueS, block.chainid == VoteLimits.LOCAL_CHAIN_ID ? 1 : leastS, mostS);
    }

    function _requireSetting(string memory setting, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert PolderGovernor_SettingOutOfBounds(setting, value, least, most);
    }
}
