// SPDX-License-Identifier: Apache-2.0
// Owns what a mirror, an installer and a household may rely on about enrolled meters. It refuses to hold a root: roots are
// made again from these events.
pragma solidity ^0.8.24;

import {IRegionList} from "../settlement/IRegions.sol";

/// @notice A meter's leaf, field for field the command `enrol_meter`. It names no account.
struct Enrolment {
    bytes32 region;
    /// The gateway's public key on Baby Jubjub.
    uint256 gatewayX;
    uint256 gatewayY;
    /// Poseidon(secret); the secret stays with the household.
    uint256 commitment;
    /// The registrar's keyed tag of the grid connection: the same for one connection, whatever the region.
    bytes32 connection;
    /// Of a slot and of a window. Wh.
    uint32 nameplateWh;
    uint32 connectionWh;
    uint32 saleCapWh;
    uint32 purchaseCapWh;
    /// The gateway whose leaf ends where this one begins (a rotation, on the same connection), or 32 zero bytes.
    bytes32 replaces;
}

/// @notice The gateway's EdDSA-Poseidon signature over Poseidon(regionTag, commitment).
struct Consent {
    uint256 r8X;
    uint256 r8Y;
    uint256 s;
}

/// @notice Where a gateway's key or a connection stands. They have a live leaf in one region at most.
struct Standing {
    bytes32 region;
    /// Of a gateway its connection, of a connection its gateway.
    bytes32 partner;
    /// 0 while its leaf is live.
    uint40 endedAtS;
    /// An emergency has ended it: it is in no window any more.
    bool isExpelled;
}

/// @title The register of meters
/// @notice Installers whom the owner appointed put meters' leaves in and take them out, by events that carry every input of
/// the leaf. A region's mirror turns each event of a finalised block into the command of the same content; position, leaf and
/// roots follow from them and are made off chain, by the region and by everybody who audits it.
/// @dev **What is checked here:** that the region exists and the installer is its own; that every number is in its range and
/// in its one spelling; that a gateway's key and a connection have at most one live leaf over all regions.
/// **What is not:** that the key is in its subgroup, and that the gateway signed the consent. A mirror checks both and passes
/// over an enrolment that fails, which stands here until its installer revokes it. No chain can see whether a gateway is where
/// its installer says.
/// - *Regions act on events from their next window on*, hours after the block. A key or a connection that left one region
///   therefore waits two days before it may enter another: two of the longest windows. A mirror that is down for longer
///   breaks this, and an audit shows it.
/// - *An emergency* takes a leaf out of the open window too. It is therefore also possible for a leaf that has just been
///   revoked or rotated out.
/// - The owner appoints installers by whole lists, and may appoint none.
interface IMeterRegistry {
    /// @notice Events of a region are numbered from 1, so that a mirror sees one that is missing, doubled or out of order.
    event InstallersAppointed(bytes32 indexed region, uint256 indexed number, address[] installers);
    /// @notice A leaf begins; where `enrolment.replaces` is not zero, that gateway's leaf ends in the same window.
    event MeterEnrolled(
        bytes32 indexed region,
        uint256 indexed number,
        bytes32 indexed gateway,
        address installer,
        Enrolment enrolment,
        Consent consent
    );
    event MeterRevoked(
        bytes32 indexed region, uint256 indexed number, bytes32 indexed gateway, address installer, bool isEmergency
    );

    error MeterRegistry_RegionUnknown(bytes32 region);
    error MeterRegistry_NotInstaller(address caller, bytes32 region);
    error MeterRegistry_TooManyInstallers(uint256 count);
    error MeterRegistry_InstallersNotAscending(address installer);
    error MeterRegistry_OwnerNeeded();
    error MeterRegistry_NotCanonical(string field, uint256 value);
    error MeterRegistry_OutOfRange(string field, uint256 value, uint256 most);
    error MeterRegistry_ConnectionMissing();
    error MeterRegistry_GatewayLive(bytes32 gateway);
    error MeterRegistry_ConnectionLive(bytes32 connection);
    error MeterRegistry_MovedTooSoon(bytes32 what, uint256 untilS);
    error MeterRegistry_NoSuchMeter(bytes32 gateway);
    error MeterRegistry_OtherConnection(bytes32 gateway, bytes32 connection);
    error MeterRegistry_RegionFull(bytes32 region);

    /// @notice Names everybody who may enrol and revoke meters of a region from now on. Only the owner.
    /// @param installers Ascending, each once, at most 64.
    function appointInstallers(bytes32 region, address[] calldata installers) external;

    /// @notice Enrols a meter, or rotates one.
    /// @return gateway keccak256(abi.encode(gatewayX, gatewayY)), by which the meter is named from now on.
    function enrol(Enrolment calldata enrolment, Consent calldata consent) external returns (bytes32 gateway);

    /// @notice Ends a meter's leaf, from the next window on or, in an emergency, at once.
    function revoke(bytes32 gateway, bool isEmergency) external;

    function regions() external view returns (IRegionList);
    function isInstaller(bytes32 region, address account) external view returns (bool);
    function gatewayOf(bytes32 gateway) external view returns (Standing memory);
    function connectionOf(bytes32 connection) external view returns (Standing memory);

    /// @return events Number of the region's last event.
    /// @return meters Live leaves.
    function countsOf(bytes32 region) external view returns (uint256 events, uint256 meters);
}
