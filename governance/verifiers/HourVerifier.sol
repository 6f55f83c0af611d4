// SPDX-License-Identifier: GPL-3.0
// Owns the pairing equation of the meter-4 circuit, generated from its key by `npm run circuits:solidity`.
// It refuses nothing else: roots, nullifiers, accounts, ranges of claims, key and chain are its gate's to check.
/*
    Copyright 2021 0KIMS association.

    This file is generated with [snarkJS](https://github.com/iden3/snarkjs).

    snarkJS is a free software: you can redistribute it and/or modify it
    under the terms of the GNU General Public License as published by
    the Free Software Foundation, either version 3 of the License, or
    (at your option) any later version.

    snarkJS is distributed in the hope that it will be useful, but WITHOUT
    ANY WARRANTY; without even the implied warranty of MERCHANTABILITY
    or FITNESS FOR A PARTICULAR PURPOSE. See the GNU General Public
    License for more details.

    You should have received a copy of the GNU General Public License
    along with snarkJS. If not, see <https://www.gnu.org/licenses/>.
*/

pragma solidity >=0.7.0 <0.9.0;

contract HourVerifier {
    string public constant keyOrigin = "development";
    bytes32 public constant keyHash = 0x78e860a6f37aeebfba30b2e5cc7d698be4269783de1f427502486139751d6288;

    function keyIsContributed() external pure returns (bool) {
        return gammax1 != deltax1 || gammax2 != deltax2 || gammay1 != deltay1 || gammay2 != deltay2;
    }

    // Scalar field size
    uint256 constant r    = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    // Base field size
    uint256 constant q   = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    // Verification Key data
    uint256 constant alphax  = 19627580398652206246991254511772178973069434184871258710173852487886275440100;
    uint256 constant alphay  = 17340946612212353324492625704079198001557242906015783709688411371834344943095;
    uint256 constant betax1  = 19571438799358301417084499752495797286862368849290464620602378052348126480745;
    uint256 constant betax2  = 18319159881123517805064981873177781506641961428059666336497656489238416929518;
    uint256 constant betay1  = 6798798470493514368282936390029899936244099873905361708929352585830308733099;
    uint256 constant betay2  = 17760234298171850452661549167406419478162434843184553356851654871609010724948;
    uint256 constant gammax1 = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 constant gammax2 = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 constant gammay1 = 4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 constant gammay2 = 8495653923123431417604973247489272438418190587263600148770280649306958101930;
    uint256 constant deltax1 = 10562732167096813731076788740945725153675989024600904005238772554466788529495;
    uint256 constant deltax2 = 15157244198161367521318727809937910867879125278246185261242590896896704787441;
    uint256 constant deltay1 = 20950601637720407715403883828043462227927553990543255632361780987658809614706;
    uint256 constant deltay2 = 21405065878331513716142716072137290101479295572328724392248954587059090462996;

    uint256 constant IC0x = 6945724879531232639528980933691659420462898548841505318471516221602071626989;
    uint256 constant IC0y = 9867331003121234424604458330299583806995264005259987518762907361365780340917;

    uint256 constant IC1x = 16356877769282558646694303193160108169065603740484397830186057078612290795797;
    uint256 constant IC1y = 16840864878602378359462849375386022440622302542552837471680768280594977785808;

    uint256 constant IC2x = 18413663896782935173616453557285006432916249760410622060807336247832991629037;
    uint256 constant IC2y = 15989380029905977931826185168192599816120527923407282607438843603720846028415;

    uint256 constant IC3x = 701705385484325480582560025793403919801466675270537618680406517287057773373;
    uint256 constant IC3y = 17765484505386471227051833913500831802722542043379636235947548312512231122898;

    uint256 constant IC4x = 5275396138045628811346507225578321080036467082279586103648803478093477437901;
    uint256 constant IC4y = 15898294983772870620828363639083333488979299536073424335761055888261479915616;

    uint256 constant IC5x = 18013381110220697414522530154001697880296214703154726902430614817895305871914;
    uint256 constant IC5y = 13310489622258806427638256569313676159104524595180885501797424763952904938953;

    uint256 constant IC6x = 12274143277557896277497896627587178510019345562974142901953935674908449820584;
    uint256 constant IC6y = 14287444343458907066750712586016392945614263220771860260757957214573094109605;

    uint256 constant IC7x = 19644872331584065752969769715655652834209956995404953715909948929146932312225;
    uint256 constant IC7y = 4008021515115170335526457466576229757045941229411191821244966082953010605502;

    uint256 constant IC8x = 11136321807377763900155316381987944552009327088935552788389744232535046500478;
    uint256 constant IC8y = 3780098158965878524076348342857132938032989710751524557259129727382184978524;

    uint256 constant IC9x = 10706132896959487495861675046108313951653211615946209552446888386008038317535;
    uint256 constant IC9y = 16044845628404668115811590567265684165761966315314028580093824990488490742058;

    uint256 constant IC10x = 11980293692203403417043063492370872964609509760532492540125608414640490215814;
    uint256 constant IC10y = 5047739889802518878833984782917498342891164030253308666560558984737394533397;

    // Memory data
    uint16 constant pVk = 0;
    uint16 constant pPairing = 128;

    uint16 constant pLastMem = 896;

    function verifyProof(uint[2] calldata _pA, uint[2][2] calldata _pB, uint[2] calldata _pC, uint[10] calldata _pubSignals) public view returns (bool) {
        assembly {
            function checkField(v) {
                if iszero(lt(v, r)) {
                    mstore(0, 0)
                    return(0, 0x20)
                }
            }

            // G1 function to multiply a G1 value(x,y) to value in an address
            function g1_mulAccC(pR, x, y, s) {
                let success
                let mIn := mload(0x40)
                mstore(mIn, x)
                mstore(add(mIn, 32), y)
                mstore(add(mIn, 64), s)

                success := staticcall(sub(gas(), 2000), 7, mIn, 96, mIn, 64)

                if iszero(success) {
                    mstore(0, 0)
                    return(0, 0x20)
                }

                mstore(add(mIn, 64), mload(pR))
                mstore(add(mIn, 96), mload(add(pR, 32)))

                success := staticcall(sub(gas(), 2000), 6, mIn, 128, pR, 64)

                if iszero(success) {
                    mstore(0, 0)
                    return(0, 0x20)
                }
            }

            function checkPairing(pA, pB, pC, pubSignals, pMem) -> isOk {
                let _pPairing := add(pMem, pPairing)
                let _pVk := add(pMem, pVk)

                mstore(_pVk, IC0x)
                mstore(add(_pVk, 32), IC0y)

                // Compute the linear combination vk_x

                g1_mulAccC(_pVk, IC1x, IC1y, calldataload(add(pubSignals, 0)))

                g1_mulAccC(_pVk, IC2x, IC2y, calldataload(add(pubSignals, 32)))

                g1_mulAccC(_pVk, IC3x, IC3y, calldataload(add(pubSignals, 64)))

                g1_mulAccC(_pVk, IC4x, IC4y, calldataload(add(pubSignals, 96)))

                g1_mulAccC(_pVk, IC5x, IC5y, calldataload(add(pubSignals, 128)))

                g1_mulAccC(_pVk, IC6x, IC6y, calldataload(add(pubSignals, 160)))

                g1_mulAccC(_pVk, IC7x, IC7y, calldataload(add(pubSignals, 192)))

                g1_mulAccC(_pVk, IC8x, IC8y, calldataload(add(pubSignals, 224)))

                g1_mulAccC(_pVk, IC9x, IC9y, calldataload(add(pubSignals, 256)))

                g1_mulAccC(_pVk, IC10x, IC10y, calldataload(add(pubSignals, 288)))

                // -A
                mstore(_pPairing, calldataload(pA))
                mstore(add(_pPairing, 32), mod(sub(q, calldataload(add(pA, 32))), q))

                // B
                mstore(add(_pPairing, 64), calldataload(pB))
                mstore(add(_pPairing, 96), calldataload(add(pB, 32)))
                mstore(add(_pPairing, 128), calldataload(add(pB, 64)))
                mstore(add(_pPairing, 160), calldataload(add(pB, 96)))

                // alpha1
                mstore(add(_pPairing, 192), alphax)
                mstore(add(_pPairing, 224), alphay)

                // beta2
                mstore(add(_pPairing, 256), betax1)
                mstore(add(_pPairing, 288), betax2)
                mstore(add(_pPairing, 320), betay1)
                mstore(add(_pPairing, 352), betay2)

                // vk_x
                mstore(add(_pPairing, 384), mload(add(pMem, pVk)))
                mstore(add(_pPairing, 416), mload(add(pMem, add(pVk, 32))))

                // gamma2
                mstore(add(_pPairing, 448), gammax1)
                mstore(add(_pPairing, 480), gammax2)
                mstore(add(_pPairing, 512), gammay1)
                mstore(add(_pPairing, 544), gammay2)

                // C
                mstore(add(_pPairing, 576), calldataload(pC))
                mstore(add(_pPairing, 608), calldataload(add(pC, 32)))

                // delta2
                mstore(add(_pPairing, 640), deltax1)
                mstore(add(_pPairing, 672), deltax2)
                mstore(add(_pPairing, 704), deltay1)
                mstore(add(_pPairing, 736), deltay2)

                let success := staticcall(sub(gas(), 2000), 8, _pPairing, 768, _pPairing, 0x20)

                isOk := and(success, mload(_pPairing))
            }

            let pMem := mload(0x40)
            mstore(0x40, add(pMem, pLastMem))

            // Validate that all evaluations ∈ F

            checkField(calldataload(add(_pubSignals, 0)))

            checkField(calldataload(add(_pubSignals, 32)))

            checkField(calldataload(add(_pubSignals, 64)))

            checkField(calldataload(add(_pubSignals, 96)))

            checkField(calldataload(add(_pubSignals, 128)))

            checkField(calldataload(add(_pubSignals, 160)))

            checkField(calldataload(add(_pubSignals, 192)))

            checkField(calldataload(add(_pubSignals, 224)))

            checkField(calldataload(add(_pubSignals, 256)))

            checkField(calldataload(add(_pubSignals, 288)))

            // Validate all evaluations
            let isValid := checkPairing(_pA, _pB, _pC, _pubSignals, pMem)

            mstore(0, isValid)
             return(0, 0x20)
         }
     }
 }
