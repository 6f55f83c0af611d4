// SPDX-License-Identifier: Apache-2.0
// Owns the tests of the meter register: who may, what is in range, and one live leaf over all regions. It refuses a second one
// by any way round.
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Consent, Enrolment, IMeterRegistry, Standing} from "../registry/IMeterRegistry.sol";
import {MeterLimits} from "../registry/MeterLimits.sol";
import {MeterRegistry} from "../registry/MeterRegistry.sol";
import {SettlementFixture} from "./SettlementFixture.sol";

contract MeterRegistryTest is SettlementFixture {
    address private constant INSTALLER = address(0x1a);
    address private constant OTHER_INSTALLER = address(0x1b);
    bytes32 private constant HOME = keccak256("home");
    bytes32 private constant SHOP = keccak256("shop");

    /// @dev Where the register keeps its counts; the test fails loudly where that has moved.
    uint256 private constant COUNTS_SLOT = 1;

    MeterRegistry private _registry;

    function setUp() public override {
        super.setUp();
        _registry = new MeterRegistry(settlement, OWNER);
        _appoint(REGION, INSTALLER);
        _appoint(OTHER_REGION, OTHER_INSTALLER);
    }

    function testRejects_appointmentsByAnybodyButTheOwner() external {
        bytes memory refused = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, INSTALLER);
        VM.startPrank(INSTALLER);
        VM.expectRevert(refused);
        _registry.appointInstallers(REGION, new address[](0));
        VM.expectRevert(refused);
        _registry.renounceOwnership();
        VM.stopPrank();
        VM.prank(OWNER);
        VM.expectRevert(IMeterRegistry.MeterRegistry_OwnerNeeded.selector);
        _registry.renounceOwnership();
    }

    function testRejects_listsThatAreNone() external {
        address[] memory list = new address[](2);
        (list[0], list[1]) = (address(2), address(2));
        bytes4 selector = IMeterRegistry.MeterRegistry_InstallersNotAscending.selector;
        _expectNoList(REGION, list, abi.encodeWithSelector(selector, address(2)));
        list[1] = address(1);
        _expectNoList(REGION, list, abi.encodeWithSelector(selector, address(1)));
        list[0] = address(0);
        _expectNoList(REGION, list, abi.encodeWithSelector(selector, address(0)));
        list = new address[](65);
        _expectNoList(REGION, list, abi.encodeWithSelector(IMeterRegistry.MeterRegistry_TooManyInstallers.selector, 65));
        bytes32 nowhere = keccak256("nowhere");
        _expectNoList(
            nowhere,
            new address[](0),
            abi.encodeWithSelector(IMeterRegistry.MeterRegistry_RegionUnknown.selector, nowhere)
        );
        VM.assertTrue(_registry.isInstaller(REGION, INSTALLER));
    }

    function testRejects_everybodyButTheRegionsInstallers() external {
        Enrolment memory enrolment = _enrolment(REGION, 1, HOME);
        address[3] memory callers = [OWNER, STRANGER, OTHER_INSTALLER];
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 2, SHOP));
        for (uint256 index = 0; index < 3; ++index) {
            bytes memory refused =
                abi.encodeWithSelector(IMeterRegistry.MeterRegistry_NotInstaller.selector, callers[index], REGION);
            _expectNotEnrolled(callers[index], enrolment, refused);
            VM.prank(callers[index]);
            VM.expectRevert(refused);
            _registry.revoke(gateway, false);
        }
    }

    function testRejects_installerThatIsOnNoListAnyMore() external {
        _appoint(REGION, OTHER_INSTALLER);
        _expectNotEnrolled(
            INSTALLER,
            _enrolment(REGION, 1, HOME),
            abi.encodeWithSelector(IMeterRegistry.MeterRegistry_NotInstaller.selector, INSTALLER, REGION)
        );
        _enrol(OTHER_INSTALLER, _enrolment(REGION, 1, HOME));
    }

    function testRejects_secondSpellingsOfFieldElements() external {
        uint256 order = MeterLimits.FIELD_ORDER;
        bytes4 selector = IMeterRegistry.MeterRegistry_NotCanonical.selector;
        Enrolment memory enrolment = _enrolment(REGION, 1, HOME);
        enrolment.gatewayX += order;
        _expectNotEnrolled(INSTALLER, enrolment, abi.encodeWithSelector(selector, "gatewayX", enrolment.gatewayX));
        enrolment = _enrolment(REGION, 1, HOME);
        enrolment.gatewayY = order;
        _expectNotEnrolled(INSTALLER, enrolment, abi.encodeWithSelector(selector, "gatewayY", order));
        enrolment = _enrolment(REGION, 1, HOME);
        enrolment.commitment = order;
        _expectNotEnrolled(INSTALLER, enrolment, abi.encodeWithSelector(selector, "commitment", order));
        enrolment = _enrolment(REGION, 1, HOME);
        Consent[3] memory consents =
            [Consent(order, 1, 1), Consent(1, order, 1), Consent(1, 1, MeterLimits.SUBGROUP_ORDER)];
        string[3] memory fields = ["r8X", "r8Y", "s"];
        for (uint256 index = 0; index < 3; ++index) {
            uint256 value = index == 2 ? MeterLimits.SUBGROUP_ORDER : order;
            VM.prank(INSTALLER);
            VM.expectRevert(abi.encodeWithSelector(selector, fields[index], value));
            _registry.enrol(enrolment, consents[index]);
        }
    }

    function testRejects_limitsOutOfRange() external {
        string[4] memory fields = ["nameplateWh", "connectionWh", "saleCapWh", "purchaseCapWh"];
        for (uint256 index = 0; index < 4; ++index) {
            Enrolment memory enrolment = _enrolment(REGION, 1, HOME);
            uint32 most = index < 2 ? 1_048_575 : 134_217_727;
            if (index == 0) enrolment.nameplateWh = most + 1;
            if (index == 1) enrolment.connectionWh = most + 1;
            if (index == 2) enrolment.saleCapWh = most + 1;
            if (index == 3) enrolment.purchaseCapWh = most + 1;
            bytes4 selector = IMeterRegistry.MeterRegistry_OutOfRange.selector;
            _expectNotEnrolled(
                INSTALLER, enrolment, abi.encodeWithSelector(selector, fields[index], uint256(most) + 1, uint256(most))
            );
        }
        Enrolment memory nameless = _enrolment(REGION, 1, 0);
        bytes memory refused = abi.encodeWithSelector(IMeterRegistry.MeterRegistry_ConnectionMissing.selector);
        _expectNotEnrolled(INSTALLER, nameless, refused);
    }

    function testRejects_secondLiveLeafOfAKey() external {
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        bytes memory refused = abi.encodeWithSelector(IMeterRegistry.MeterRegistry_GatewayLive.selector, gateway);
        _expectNotEnrolled(INSTALLER, _enrolment(REGION, 1, HOME), refused);
        _expectNotEnrolled(INSTALLER, _enrolment(REGION, 1, SHOP), refused);
        _expectNotEnrolled(OTHER_INSTALLER, _enrolment(OTHER_REGION, 1, SHOP), refused);
        bytes32 shop = _enrol(INSTALLER, _enrolment(REGION, 2, SHOP));
        _expectNotEnrolled(INSTALLER, _rotation(REGION, 1, SHOP, shop), refused);
        VM.assertEq(_registry.gatewayOf(shop).endedAtS, 0);
    }

    function testRejects_secondLiveLeafOfAConnection() external {
        _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        bytes memory refused = abi.encodeWithSelector(IMeterRegistry.MeterRegistry_ConnectionLive.selector, HOME);
        _expectNotEnrolled(INSTALLER, _enrolment(REGION, 2, HOME), refused);
        _expectNotEnrolled(OTHER_INSTALLER, _enrolment(OTHER_REGION, 2, HOME), refused);
    }

    /// @dev The old region still has the leaf in the window that runs: for two days neither key nor connection is another's.
    function testRejects_movingToAnotherRegionTooSoon() external {
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        _revoke(INSTALLER, gateway, true);
        uint256 untilS = block.timestamp + 2 days;
        VM.warp(untilS - 1);
        bytes4 selector = IMeterRegistry.MeterRegistry_MovedTooSoon.selector;
        _expectNotEnrolled(
            OTHER_INSTALLER, _enrolment(OTHER_REGION, 1, SHOP), abi.encodeWithSelector(selector, gateway, untilS)
        );
        _expectNotEnrolled(
            OTHER_INSTALLER, _enrolment(OTHER_REGION, 2, HOME), abi.encodeWithSelector(selector, HOME, untilS)
        );
        VM.warp(untilS);
        _enrol(OTHER_INSTALLER, _enrolment(OTHER_REGION, 1, HOME));
        VM.assertEq(_registry.gatewayOf(gateway).region, OTHER_REGION);
    }

    /// @dev A key that was rotated out is still in the window that runs.
    function testRejects_movingAKeyThatWasRotatedOut() external {
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        _enrol(INSTALLER, _rotation(REGION, 2, HOME, gateway));
        bytes4 selector = IMeterRegistry.MeterRegistry_MovedTooSoon.selector;
        _expectNotEnrolled(
            OTHER_INSTALLER,
            _enrolment(OTHER_REGION, 1, SHOP),
            abi.encodeWithSelector(selector, gateway, block.timestamp + 2 days)
        );
    }

    function testRejects_rotationsOfNothing() external {
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        bytes4 selector = IMeterRegistry.MeterRegistry_NoSuchMeter.selector;
        bytes32 unknown = keccak256("unknown");
        _expectNotEnrolled(INSTALLER, _rotation(REGION, 2, HOME, unknown), abi.encodeWithSelector(selector, unknown));
        _expectNotEnrolled(
            OTHER_INSTALLER, _rotation(OTHER_REGION, 2, HOME, gateway), abi.encodeWithSelector(selector, gateway)
        );
        _expectNotEnrolled(
            INSTALLER,
            _rotation(REGION, 2, SHOP, gateway),
            abi.encodeWithSelector(IMeterRegistry.MeterRegistry_OtherConnection.selector, gateway, HOME)
        );
        _revoke(INSTALLER, gateway, false);
        _expectNotEnrolled(INSTALLER, _rotation(REGION, 2, HOME, gateway), abi.encodeWithSelector(selector, gateway));
    }

    function testRejects_revokingTwiceOrNothing() external {
        bytes4 selector = IMeterRegistry.MeterRegistry_NoSuchMeter.selector;
        bytes32 unknown = keccak256("unknown");
        _expectNotRevoked(unknown, false, abi.encodeWithSelector(selector, unknown));
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        _revoke(INSTALLER, gateway, false);
        _expectNotRevoked(gateway, false, abi.encodeWithSelector(selector, gateway));
        _revoke(INSTALLER, gateway, true);
        _expectNotRevoked(gateway, true, abi.encodeWithSelector(selector, gateway));
    }

    function testRejects_moreLeavesThanATreeHolds() external {
        bytes32 slot = keccak256(abi.encode(REGION, COUNTS_SLOT));
        uint256 counts = (uint256(1) << 128) | (uint256(65_535) << 64) | 7;
        VM.store(address(_registry), slot, bytes32(counts));
        _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        (uint256 events, uint256 meters) = _registry.countsOf(REGION);
        VM.assertEq(events, 8);
        VM.assertEq(meters, 65_536);
        bytes memory full = abi.encodeWithSelector(IMeterRegistry.MeterRegistry_RegionFull.selector, REGION);
        _expectNotEnrolled(INSTALLER, _enrolment(REGION, 2, SHOP), full);
    }

    /// @dev Everything that the command `enrol_meter` and its evidence are made of, under the gateway's id.
    function testBehavior_enrolmentIsToldWhole() external {
        Enrolment memory enrolment = _enrolment(REGION, 1, HOME);
        bytes32 gateway = keccak256(abi.encodePacked(enrolment.gatewayX, enrolment.gatewayY));
        VM.expectEmit(address(_registry));
        emit IMeterRegistry.MeterEnrolled(REGION, 2, gateway, INSTALLER, enrolment, _consent());
        VM.assertEq(_enrol(INSTALLER, enrolment), gateway);
        Standing memory standing = _registry.gatewayOf(gateway);
        VM.assertEq(standing.region, REGION);
        VM.assertEq(standing.partner, HOME);
        VM.assertEq(standing.endedAtS, 0);
        VM.assertEq(_registry.connectionOf(HOME).partner, gateway);
        (uint256 events, uint256 meters) = _registry.countsOf(REGION);
        VM.assertEq(events, 2);
        VM.assertEq(meters, 1);
    }

    /// @dev Another key, or another secret behind the same key: the connection stays, the count too.
    function testBehavior_rotations() external {
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        Enrolment memory rotation = _rotation(REGION, 2, HOME, gateway);
        bytes32 next = keccak256(abi.encode(rotation.gatewayX, rotation.gatewayY));
        VM.expectEmit(address(_registry));
        emit IMeterRegistry.MeterEnrolled(REGION, 3, next, INSTALLER, rotation, _consent());
        _enrol(INSTALLER, rotation);
        VM.assertEq(_registry.connectionOf(HOME).partner, next);
        VM.assertEq(_registry.gatewayOf(gateway).endedAtS, block.timestamp);
        VM.assertEq(_enrol(INSTALLER, _rotation(REGION, 2, HOME, next)), next);
        (, uint256 meters) = _registry.countsOf(REGION);
        VM.assertEq(meters, 1);
    }

    function testBehavior_revocationsFreeBoth() external {
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        VM.expectEmit(address(_registry));
        emit IMeterRegistry.MeterRevoked(REGION, 3, gateway, INSTALLER, false);
        _revoke(INSTALLER, gateway, false);
        (, uint256 meters) = _registry.countsOf(REGION);
        VM.assertEq(meters, 0);
        // In the same region the region itself keeps windows apart.
        _enrol(INSTALLER, _enrolment(REGION, 1, SHOP));
        _enrol(INSTALLER, _enrolment(REGION, 2, HOME));
    }

    /// @dev A rotated-out key that turns out to be stolen must leave the open window as well.
    function testBehavior_emergencyAfterARotation() external {
        bytes32 gateway = _enrol(INSTALLER, _enrolment(REGION, 1, HOME));
        bytes32 next = _enrol(INSTALLER, _rotation(REGION, 2, HOME, gateway));
        VM.expectEmit(address(_registry));
        emit IMeterRegistry.MeterRevoked(REGION, 4, gateway, INSTALLER, true);
        _revoke(INSTALLER, gateway, true);
        VM.assertTrue(_registry.gatewayOf(gateway).isExpelled);
        VM.assertEq(_registry.gatewayOf(next).endedAtS, 0);
        VM.assertEq(_registry.connectionOf(HOME).partner, next);
        (, uint256 meters) = _registry.countsOf(REGION);
        VM.assertEq(meters, 1);
    }

    function testBehavior_listsReplaceEachOther() external {
        address[] memory list = new address[](64);
        for (uint160 index = 0; index < 64; ++index) {
            list[index] = address(index + 1);
        }
        VM.expectEmit(address(_registry));
        emit IMeterRegistry.InstallersAppointed(REGION, 2, list);
        VM.prank(OWNER);
        _registry.appointInstallers(REGION, list);
        VM.assertTrue(_registry.isInstaller(REGION, address(64)));
        VM.assertTrue(_registry.isInstaller(REGION, INSTALLER));
        VM.assertFalse(_registry.isInstaller(OTHER_REGION, INSTALLER));
        VM.prank(OWNER);
        _registry.appointInstallers(REGION, new address[](0));
        VM.assertFalse(_registry.isInstaller(REGION, address(64)));
    }

    /// @dev Any row of enrolments, rotations and revocations in two regions: never two live leaves of a key or a connection,
    /// and the counts are those of the live ones.
    function testInvariant_oneLiveLeaf(uint256[40] calldata draws) external {
        for (uint256 index = 0; index < draws.length; ++index) {
            _act(draws[index]);
            uint256 live = 0;
            for (uint256 key = 1; key <= 3; ++key) {
                bytes32 gateway = _idOf(key);
                Standing memory standing = _registry.gatewayOf(gateway);
                if (standing.region == 0 || standing.endedAtS != 0) continue;
                ++live;
                Standing memory connection = _registry.connectionOf(standing.partner);
                VM.assertEq(connection.partner, gateway, "a connection of two keys");
                VM.assertEq(connection.region, standing.region, "a connection in two regions");
                VM.assertEq(connection.endedAtS, 0);
            }
            (, uint256 here) = _registry.countsOf(REGION);
            (, uint256 there) = _registry.countsOf(OTHER_REGION);
            VM.assertEq(here + there, live, "counted otherwise");
        }
    }

    function _act(uint256 draw) private {
        bool isHere = draw % 2 == 0;
        address installer = isHere ? INSTALLER : OTHER_INSTALLER;
        uint256 key = (draw >> 8) % 3 + 1;
        bytes32 connection = (draw >> 16) % 2 == 0 ? HOME : SHOP;
        VM.warp(block.timestamp + (draw >> 24) % 2 days);
        Enrolment memory enrolment = _enrolment(isHere ? REGION : OTHER_REGION, key, connection);
        if ((draw >> 48) % 3 == 0) enrolment.replaces = _idOf((draw >> 56) % 3 + 1);
        VM.prank(installer);
        if ((draw >> 64) % 3 != 0) {
            try _registry.enrol(enrolment, _consent()) {} catch {}
        } else {
            try _registry.revoke(_idOf(key), (draw >> 72) % 2 == 0) {} catch {}
        }
    }

    function _appoint(bytes32 region, address installer) private {
        address[] memory list = new address[](1);
        list[0] = installer;
        VM.prank(OWNER);
        _registry.appointInstallers(region, list);
    }

    function _enrolment(bytes32 region, uint256 key, bytes32 connection) private pure returns (Enrolment memory) {
        return Enrolment({
            region: region,
            gatewayX: key,
            gatewayY: key + 100,
            commitment: 7,
            connection: connection,
            nameplateWh: 1_048_575,
            connectionWh: 1_048_575,
            saleCapWh: 134_217_727,
            purchaseCapWh: 134_217_727,
            replaces: 0
        });
    }

    function _rotation(bytes32 region, uint256 key, bytes32 connection, bytes32 replaces)
        private
        pure
        returns (Enrolment memory enrolment)
    {
        enrolment = _enrolment(region, key, connection);
        enrolment.replaces = replaces;
    }

    function _consent() private pure returns (Consent memory) {
        return Consent(MeterLimits.FIELD_ORDER - 1, 2, MeterLimits.SUBGROUP_ORDER - 1);
    }

    function _idOf(uint256 key) private pure returns (bytes32) {
        return keccak256(abi.encode(key, key + 100));
    }

    function _enrol(address installer, Enrolment memory enrolment) private returns (bytes32) {
        VM.prank(installer);
        return _registry.enrol(enrolment, _consent());
    }

    function _revoke(address installer, bytes32 gateway, bool isEmergency) private {
        VM.prank(installer);
        _registry.revoke(gateway, isEmergency);
    }

    function _expectNoList(bytes32 region, address[] memory list, bytes memory refused) private {
        VM.prank(OWNER);
        VM.expectRevert(refused);
        _registry.appointInstallers(region, list);
    }

    function _expectNotEnrolled(address caller, Enrolment memory enrolment, bytes memory refused) private {
        (uint256 events, uint256 meters) = _registry.countsOf(enrolment.region);
        VM.prank(caller);
        VM.expectRevert(refused);
        _registry.enrol(enrolment, _consent());
        (uint256 eventsAfter, uint256 metersAfter) = _registry.countsOf(enrolment.region);
        VM.assertTrue(eventsAfter == events && metersAfter == meters);
    }

    function _expectNotRevoked(bytes32 gateway, bool isEmergency, bytes memory refused) private {
        VM.prank(INSTALLER);
        VM.expectRevert(refused);
        _registry.revoke(gateway, isEmergency);
    }
}
