// Owns the types of the one function used of `suncalc` 1.9, which ships none.
declare module "suncalc" {
  interface SunPosition {
    /** Radians above the horizon. */
    altitude: number;
    /** Radians from south, growing towards west. */
    azimuth: number;
  }
  const suncalc: {
    getPosition(at: Date, latitudeDegrees: number, longitudeDegrees: number): SunPosition;
  };
  export default suncalc;
}
