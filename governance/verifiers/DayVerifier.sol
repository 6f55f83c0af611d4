// SPDX-License-Identifier: GPL-3.0
// Owns the pairing equation of the meter-96 circuit, generated from its key by `npm run circuits:solidity`.
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

contract DayVerifier {
    string public constant keyOrigin = "development";
    bytes32 public constant keyHash = 0x12115c40f96a150782ca17434be533629f92826bcb0e8213bdc10b0df807207e;

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
    uint256 constant deltax1 = 4149206051389825709718152719704882799172265304558947470102295492037528645758;
    uint256 constant deltax2 = 7455213924399192199995676152772730827273070719306720085775857342133490423191;
    uint256 constant deltay1 = 19986699248712494565725994314673650898104620221029678442802028109003675340202;
    uint256 constant deltay2 = 20963524695348571266959801317704574341401927384923429465226920356271548920303;

    uint256 constant IC0x = 4299175780656049664059045251354621392196398617372059319581159649013535785408;
    uint256 constant IC0y = 12213541076075443352089097242037254126656158527455166287906241333245234073347;

    uint256 constant IC1x = 5799293472497050829140101710485840373698781261871854421167844988403122026935;
    uint256 constant IC1y = 8608105145166769068866057345662957710580160406604764069860691486260159511100;

    uint256 constant IC2x = 6059701984427074037852529334557618114088797872314240591436509401269234651558;
    uint256 constant IC2y = 21159649238270717464533414145365369282725240053008634940094978882031818279948;

    uint256 constant IC3x = 20923888508970035963135194650124193991711278248389475929454631109786509454056;
    uint256 constant IC3y = 2295037551368003157806594286828268406165942157016909300050102647346181953844;

    uint256 constant IC4x = 6121934263260213035212952226336226697856045615065134881747958572849421747351;
    uint256 constant IC4y = 12878858357842572706122360383045120423902062950527407809615956457892959794895;

    uint256 constant IC5x = 10391582484501051365284183467663195428662484603928313737296820699613267188686;
    uint256 constant IC5y = 16860979568703020515159596143036764313348053157300919222537620090462320557223;

    uint256 constant IC6x = 15823397092480145578075856130623462231741739861889225487845431023573829232872;
    uint256 constant IC6y = 5966088416564624330751381768331920529717266521802637607793262447582539442624;

    uint256 constant IC7x = 11258352701555334107151764272161202487433202885878013938986677862546812166826;
    uint256 constant IC7y = 10904628744388216917902814895500769510502599603845898679017659726217859724892;

    uint256 constant IC8x = 7665647598091455442074662120331845325886030110372692729265294039378609909931;
    uint256 constant IC8y = 21832608788236602606321790260245367407299501849400934938093773590498122733076;

    uint256 constant IC9x = 1309679085283440864237098083946395363695557167521210196727239100196928329428;
    uint256 constant IC9y = 5951479038169796592246777286546682795300696578115258933088618672476938652687;

    uint256 constant IC10x = 10591149685060862477839609491623491829498552390607685333607672589788877871161;
    uint256 constant IC10y = 6119271515807870697201686750090922874744762004788270286756375052563892466387;

    uint256 constant IC11x = 10439941087575629032435269212065722167619150877118645577736066761299042807805;
    uint256 constant IC11y = 10500268899459375526841587708791542312505486698675496787696030471200893715037;

    uint256 constant IC12x = 16829561425576963803739703271406016304493006724382526527538285466239368991564;
    uint256 constant IC12y = 16680157595320955737469189038831926125674234315935432337134082334158288463737;

    uint256 constant IC13x = 20072505071166063086860899960731405071383116348522371588160385269854745970236;
    uint256 constant IC13y = 17703283294563916266565784151951564531185238926968731537655298647548566916567;

    uint256 constant IC14x = 7401371104469466228798689421817984530022018493451956224911895076405724591416;
    uint256 constant IC14y = 6437097979831617472731658212215425059010557114655846753358568477237835757928;

    uint256 constant IC15x = 20641961317951268313034943067553485851048296414781355495199680599832401426695;
    uint256 constant IC15y = 20912271643123381745327697803755268323231758952144210881307635522635351003890;

    uint256 constant IC16x = 9117803568828198354583114798077437595483218110204975589578660960196046914370;
    uint256 constant IC16y = 11391672478053794883715660707577366346320552741211899242584878284697525147600;

    uint256 constant IC17x = 16056263299535786949576022663164850759818770608539507340883047597019200689467;
    uint256 constant IC17y = 1006995446404848736347303107662997183209411983664454835380240361026662855469;

    uint256 constant IC18x = 20979948436554897629673945447053209853397436863248899752304901552286694885836;
    uint256 constant IC18y = 14589449764524814814692367936923440016145304368237760259299482864243885220146;

    // Memory data
    uint16 constant pVk = 0;
    uint16 constant pPairing = 128;

    uint16 constant pLastMem = 896;

    function verifyProof(uint[2] calldata _pA, uint[2][2] calldata _pB, uint[2] calldata _pC, uint[18] calldata _pubSignals) public view returns (bool) {
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

                g1_mulAccC(_pVk, IC11x, IC11y, calldataload(add(pubSignals, 320)))

                g1_mulAccC(_pVk, IC12x, IC12y, calldataload(add(pubSignals, 352)))

                g1_mulAccC(_pVk, IC13x, IC13y, calldataload(add(pubSignals, 384)))

                g1_mulAccC(_pVk, IC14x, IC14y, calldataload(add(pubSignals, 416)))

                g1_mulAccC(_pVk, IC15x, IC15y, calldataload(add(pubSignals, 448)))

                g1_mulAccC(_pVk, IC16x, IC16y, calldataload(add(pubSignals, 480)))

                g1_mulAccC(_pVk, IC17x, IC17y, calldataload(add(pubSignals, 512)))

                g1_mulAccC(_pVk, IC18x, IC18y, calldataload(add(pubSignals, 544)))

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

            checkField(calldataload(add(_pubSignals, 320)))

            checkField(calldataload(add(_pubSignals, 352)))

            checkField(calldataload(add(_pubSignals, 384)))

            checkField(calldataload(add(_pubSignals, 416)))

            checkField(calldataload(add(_pubSignals, 448)))

            checkField(calldataload(add(_pubSignals, 480)))

            checkField(calldataload(add(_pubSignals, 512)))

            checkField(calldataload(add(_pubSignals, 544)))

            // Validate all evaluations
            let isValid := checkPairing(_pA, _pB, _pC, _pubSignals, pMem)

            mstore(0, isValid)
             return(0, 0x20)
         }
     }
 }
