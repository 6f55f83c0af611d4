// SPDX-License-Identifier: Apache-2.0
// Owns which meter stands where, and who said so. It refuses a second live leaf of a key or of a connection in any region, and
// numbers out of range or in a second spelling.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IRegionList} from "../settlement/IRegions.sol";
import {Consent, Enrolment, IMeterRegistry, Standing} from "./IMeterRegistry.sol";
import {MeterLimits} from "./MeterLimits.sol";

/// @title The register of meters; assumptions stand on `IMeterRegistry`
contract MeterRegistry is IMeterRegistry, Ownable {
    /// @dev Counts of a region; installers of an older list are nobody.
    struct Counts {
        uint64 events;
        uint64 meters;
        uint64 lists;
    }

    IRegionList public immutable regions;
    mapping(bytes32 region => Counts) private _counts;
    mapping(bytes32 region => mapping(uint256 list => mapping(address account => bool))) private _isListed;
    mapping(bytes32 gateway => Standing) private _gateways;
    mapping(bytes32 connection => Standing) private _connections;

    /// @param regions_ Says which regions there are: Settlement.
    /// @param owner_ Who appoints installers; a timelock, or who hands over to one.
    constructor(IRegionList regions_, address owner_) Ownable(owner_) {
        regions = regions_;
    }

    /// @inheritdoc IMeterRegistry
    function appointInstallers(bytes32 region, address[] calldata installers) external onlyOwner {
        if (regions.windowSlotsOf(region) == 0) revert MeterRegistry_RegionUnknown(region);
        if (installers.length > MeterLimits.MAX_INSTALLERS) revert MeterRegistry_TooManyInstallers(installers.length);
        uint256 list = ++_counts[region].lists;
        address last = address(0);
        for (uint256 index = 0; index < installers.length; ++index) {
            if (installers[index] <= last) revert MeterRegistry_InstallersNotAscending(installers[index]);
            last = installers[index];
            _isListed[region][list][last] = true;
        }
        emit InstallersAppointed(region, _number(region), installers);
    }

    /// @inheritdoc IMeterRegistry
    function enrol(Enrolment calldata enrolment, Consent calldata consent) external returns (bytes32 gateway) {
        bytes32 region = enrolment.region;
        _requireInstaller(region);
        _requireRanges(enrolment, consent);
        gateway = keccak256(abi.encode(enrolment.gatewayX, enrolment.gatewayY));
        if (enrolment.replaces != 0) _end(region, enrolment.replaces, enrolment.connection);
        _begin(region, gateway, enrolment.connection);
        emit MeterEnrolled(region, _number(region), gateway, msg.sender, enrolment, consent);
    }

    /// @inheritdoc IMeterRegistry
    function revoke(bytes32 gateway, bool isEmergency) external {
        Standing storage standing = _gateways[gateway];
        bytes32 region = standing.region;
        if (region == 0) revert MeterRegistry_NoSuchMeter(gateway);
        _requireInstaller(region);
        if (standing.endedAtS == 0) _end(region, gateway, standing.partner);
        else if (!isEmergency || standing.isExpelled) revert MeterRegistry_NoSuchMeter(gateway);
        if (isEmergency) standing.isExpelled = true;
        emit MeterRevoked(region, _number(region), gateway, msg.sender, isEmergency);
    }

    /// @notice Refused: nobody could appoint or dismiss installers any more.
    function renounceOwnership() public view override onlyOwner {
        revert MeterRegistry_OwnerNeeded();
    }

    /// @inheritdoc IMeterRegistry
    function isInstaller(bytes32 region, address account) public view returns (bool) {
        return _isListed[region][_counts[region].lists][account];
    }

    /// @inheritdoc IMeterRegistry
    function gatewayOf(bytes32 gateway) external view returns (Standing memory) {
        return _gateways[gateway];
    }

    /// @inheritdoc IMeterRegistry
    function connectionOf(bytes32 connection) external view returns (Standing memory) {
        return _connections[connection];
    }

    /// @inheritdoc IMeterRegistry
    function countsOf(bytes32 region) external view returns (uint256 events, uint256 meters) {
        return (_counts[region].events, _counts[region].meters);
    }

    function _begin(bytes32 region, bytes32 gateway, bytes32 connection) private {
        if (_isLive(_gateways[gateway])) revert MeterRegistry_GatewayLive(gateway);
        if (_isLive(_connections[connection])) revert MeterRegistry_ConnectionLive(connection);
        _requireMoved(_gateways[gateway], region, gateway);
        _requireMoved(_connections[connection], region, connection);
        if (_counts[region].meters >= MeterLimits.TREE_LEAVES) revert MeterRegistry_RegionFull(region);
        ++_counts[region].meters;
        _gateways[gateway] = Standing(region, connection, 0, false);
        _connections[connection] = Standing(region, gateway, 0, false);
    }

    /// @dev Ends a live leaf, which must be this region's and on this connection.
    function _end(bytes32 region, bytes32 gateway, bytes32 connection) private {
        Standing storage standing = _gateways[gateway];
        if (standing.region != region || standing.endedAtS != 0) revert MeterRegistry_NoSuchMeter(gateway);
        if (standing.partner != connection) revert MeterRegistry_OtherConnection(gateway, standing.partner);
        uint40 nowS = SafeCast.toUint40(block.timestamp);
        standing.endedAtS = nowS;
        _connections[connection].endedAtS = nowS;
        --_counts[region].meters;
    }

    function _number(bytes32 region) private returns (uint256) {
        return ++_counts[region].events;
    }

    function _requireInstaller(bytes32 region) private view {
        if (!isInstaller(region, msg.sender)) revert MeterRegistry_NotInstaller(msg.sender, region);
    }

    function _isLive(Standing storage standing) private view returns (bool) {
        return standing.region != 0 && standing.endedAtS == 0;
    }

    /// @dev What left another region may still be in a window of it, and would be proved in both.
    function _requireMoved(Standing storage standing, bytes32 region, bytes32 what) private view {
        if (standing.region == 0 || standing.region == region) return;
        uint256 untilS = standing.endedAtS + MeterLimits.MOVE_SECONDS;
        if (block.timestamp < untilS) revert MeterRegistry_MovedTooSoon(what, untilS);
    }

    /// @dev `x + r` would be a second spelling of a key's coordinate, and its id another gateway's.
    function _requireRanges(Enrolment calldata enrolment, Consent calldata consent) private pure {
        _requireElement("gatewayX", enrolment.gatewayX, MeterLimits.FIELD_ORDER);
        _requireElement("gatewayY", enrolment.gatewayY, MeterLimits.FIELD_ORDER);
        _requireElement("commitment", enrolment.commitment, MeterLimits.FIELD_ORDER);
        _requireElement("r8X", consent.r8X, MeterLimits.FIELD_ORDER);
        _requireElement("r8Y", consent.r8Y, MeterLimits.FIELD_ORDER);
        _requireElement("s", consent.s, MeterLimits.SUBGROUP_ORDER);
        if (enrolment.connection == 0) revert MeterRegistry_ConnectionMissing();
        _requireWh("nameplateWh", enrolment.nameplateWh, MeterLimits.MAX_READING_WH);
        _requireWh("connectionWh", enrolment.connectionWh, MeterLimits.MAX_READING_WH);
        _requireWh("saleCapWh", enrolment.saleCapWh, MeterLimits.MAX_WINDOW_CAP_WH);
        _requireWh("purchaseCapWh", enrolment.purchaseCapWh, MeterLimits.MAX_WINDOW_CAP_WH);
    }

    function _requireElement(string memory field, uint256 value, uint256 order) private pure {
        if (value >= order) revert MeterRegistry_NotCanonical(field, value);
    }

    function _requireWh(string memory field, uint256 value, uint256 most) private pure {
        if (value > most) revert MeterRegistry_OutOfRange(field, value, most);
    }
}
