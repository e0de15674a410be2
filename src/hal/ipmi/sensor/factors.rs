//! Conversion of raw readings (§36.3): `y = L[(M*x + B*10^Bexp) * 10^Rexp]`.

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// How the raw reading stands for a number (SDR byte 21, bits 7..6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnalogFormat {
    /// 0..255.
    Unsigned,
    /// 1's complement, -127..127.
    OnesComplement,
    /// 2's complement, -128..127.
    TwosComplement,
    /// There is no analog reading.
    NoAnalog,
}

impl AnalogFormat {
    /// From the two bits.
    pub fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Unsigned,
            1 => Self::OnesComplement,
            2 => Self::TwosComplement,
            _ => Self::NoAnalog,
        }
    }

    /// The two bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::Unsigned => 0,
            Self::OnesComplement => 1,
            Self::TwosComplement => 2,
            Self::NoAnalog => 3,
        }
    }

    /// The number that `raw` stands for; `None` where there is no analog reading.
    pub fn number(self, raw: u8) -> Option<i32> {
        Some(match self {
            // 0xff is negative zero.
            Self::OnesComplement if raw & 0x80 != 0 => -i32::from(!raw),
            Self::Unsigned | Self::OnesComplement => i32::from(raw),
            Self::TwosComplement => i32::from(raw.cast_signed()),
            Self::NoAnalog => return None,
        })
    }

    /// The raw reading nearest to `number` that this format can hold.
    pub fn raw(self, number: f64) -> Option<u8> {
        if number.is_nan() {
            return None;
        }
        let near = |low: f64, high: f64| number.round().clamp(low, high) as i16;
        let [raw, _] = match self {
            Self::Unsigned => near(0.0, 255.0),
            Self::OnesComplement => match near(-127.0, 127.0) {
                n if n < 0 => n - 1,
                n => n,
            },
            Self::TwosComplement => near(-128.0, 127.0),
            Self::NoAnalog => return None,
        }
        .to_le_bytes();
        Some(raw)
    }
}

/// The function L of the conversion (SDR byte 24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Linearization {
    /// y = x.
    Linear,
    /// Natural logarithm.
    Ln,
    /// Logarithm to base 10.
    Log10,
    /// Logarithm to base 2.
    Log2,
    /// e to the power of x.
    E,
    /// 10 to the power of x.
    Exp10,
    /// 2 to the power of x.
    Exp2,
    /// 1/x.
    Inverse,
    /// x squared.
    Square,
    /// x cubed.
    Cube,
    /// Square root.
    Sqrt,
    /// Cube root (the specification writes `cube^-1`).
    CubeRoot,
    /// Factors differ from reading to reading (0x70): ask Get Sensor Reading Factors.
    NonLinear,
    /// OEM-defined non-linear (0x71..0x7f): likewise.
    OemNonLinear(u8),
    /// A reserved code.
    Reserved(u8),
}

impl Linearization {
    /// From the seven bits of the SDR.
    pub fn from_code(code: u8) -> Self {
        match code & 0x7f {
            0 => Self::Linear,
            1 => Self::Ln,
            2 => Self::Log10,
            3 => Self::Log2,
            4 => Self::E,
            5 => Self::Exp10,
            6 => Self::Exp2,
            7 => Self::Inverse,
            8 => Self::Square,
            9 => Self::Cube,
            10 => Self::Sqrt,
            11 => Self::CubeRoot,
            0x70 => Self::NonLinear,
            other @ 0x71..=0x7f => Self::OemNonLinear(other),
            other => Self::Reserved(other),
        }
    }

    /// The seven bits.
    pub fn code(self) -> u8 {
        match self {
            Self::Linear => 0,
            Self::Ln => 1,
            Self::Log10 => 2,
            Self::Log2 => 3,
            Self::E => 4,
            Self::Exp10 => 5,
            Self::Exp2 => 6,
            Self::Inverse => 7,
            Self::Square => 8,
            Self::Cube => 9,
            Self::Sqrt => 10,
            Self::CubeRoot => 11,
            Self::NonLinear => 0x70,
            Self::OemNonLinear(code) | Self::Reserved(code) => code & 0x7f,
        }
    }

    /// Must the factors be asked for at each reading?
    pub fn is_non_linear(self) -> bool {
        matches!(self, Self::NonLinear | Self::OemNonLinear(_))
    }

    /// L(x). Non-linear sensors have L = identity with the factors of the reading.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Ln => x.ln(),
            Self::Log10 => x.log10(),
            Self::Log2 => x.log2(),
            Self::E => x.exp(),
            Self::Exp10 => 10f64.powf(x),
            Self::Exp2 => x.exp2(),
            Self::Inverse => 1.0 / x,
            Self::Square => x * x,
            Self::Cube => x * x * x,
            Self::Sqrt => x.sqrt(),
            Self::CubeRoot => x.cbrt(),
            Self::Linear | Self::NonLinear | Self::OemNonLinear(_) | Self::Reserved(_) => x,
        }
    }

    /// x with L(x) = y (the branch x >= 0 of the square).
    pub fn invert(self, y: f64) -> f64 {
        match self {
            Self::Ln => y.exp(),
            Self::Log10 => 10f64.powf(y),
            Self::Log2 => y.exp2(),
            Self::E => y.ln(),
            Self::Exp10 => y.log10(),
            Self::Exp2 => y.log2(),
            Self::Inverse => 1.0 / y,
            Self::Square => y.sqrt(),
            Self::Cube => y.cbrt(),
            Self::Sqrt => y * y,
            Self::CubeRoot => y * y * y,
            Self::Linear | Self::NonLinear | Self::OemNonLinear(_) | Self::Reserved(_) => y,
        }
    }
}

/// The factors of the conversion as SDR bytes 25..30 and Get Sensor Reading Factors carry them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Factors {
    /// M, -512..511.
    pub m: i16,
    /// Tolerance in half raw counts, 0..63.
    pub tolerance: u8,
    /// B, -512..511.
    pub b: i16,
    /// Accuracy in 1/100 percent, scaled by 10^`accuracy_exp`; 0..1023.
    pub accuracy: u16,
    /// Exponent of the accuracy, 0..3.
    pub accuracy_exp: u8,
    /// Sensor direction: 0 unspecified, 1 input, 2 output.
    pub direction: u8,
    /// Exponent of the result, -8..7.
    pub r_exp: i8,
    /// Exponent of B, -8..7.
    pub b_exp: i8,
}

impl Factors {
    /// y = x.
    pub const IDENTITY: Self = Self {
        m: 1,
        tolerance: 0,
        b: 0,
        accuracy: 0,
        accuracy_exp: 0,
        direction: 0,
        r_exp: 0,
        b_exp: 0,
    };

    /// Reads the six bytes.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [m, m_tolerance, b, b_accuracy, accuracy, exponents] = r.array("reading factors")?;
        Ok(Self {
            m: ten_bits(m, m_tolerance),
            tolerance: m_tolerance & 0x3f,
            b: ten_bits(b, b_accuracy),
            accuracy: u16::from(b_accuracy & 0x3f) | (u16::from(accuracy & 0xf0) << 2),
            accuracy_exp: (accuracy >> 2) & 0x03,
            direction: accuracy & 0x03,
            r_exp: four_bits(exponents >> 4),
            b_exp: four_bits(exponents),
        })
    }

    /// Writes the six bytes; what does not fit its field is cut.
    pub fn encode(&self) -> [u8; 6] {
        let m = self.m.cast_unsigned();
        let b = self.b.cast_unsigned();
        [
            m as u8,
            (((m >> 8) as u8 & 0x03) << 6) | (self.tolerance & 0x3f),
            b as u8,
            (((b >> 8) as u8 & 0x03) << 6) | (self.accuracy as u8 & 0x3f),
            (((self.accuracy >> 6) as u8 & 0x0f) << 4)
                | ((self.accuracy_exp & 0x03) << 2)
                | (self.direction & 0x03),
            (self.r_exp.cast_unsigned() << 4) | (self.b_exp.cast_unsigned() & 0x0f),
        ]
    }

    /// The value of `number`, which is the raw reading after its analog format.
    pub fn value(&self, number: i32, linearization: Linearization) -> f64 {
        let b = scale(f64::from(self.b), self.b_exp);
        linearization.apply(scale(f64::from(self.m) * f64::from(number) + b, self.r_exp))
    }

    /// The value of a raw reading; `None` where the sensor has no analog reading or the result is no number.
    pub fn convert(
        &self,
        raw: u8,
        format: AnalogFormat,
        linearization: Linearization,
    ) -> Option<f64> {
        let value = self.value(format.number(raw)?, linearization);
        value.is_finite().then_some(value)
    }

    /// The raw reading nearest to `value`; `None` where none can be had (M = 0, no analog reading).
    pub fn unconvert(
        &self,
        value: f64,
        format: AnalogFormat,
        linearization: Linearization,
    ) -> Option<u8> {
        let linear = scale(linearization.invert(value), -self.r_exp);
        let number = (linear - scale(f64::from(self.b), self.b_exp)) / f64::from(self.m);
        if self.m == 0 || number.is_nan() {
            return None;
        }
        format.raw(number)
    }
}

/// `x * 10^exp`, by division where the exponent is negative: 12 * 10^-1 is 1.2 and not 1.2000000000000002.
fn scale(x: f64, exp: i8) -> f64 {
    let power = 10f64.powi(i32::from(exp).abs());
    if exp < 0 { x / power } else { x * power }
}

fn ten_bits(low: u8, high: u8) -> i16 {
    let bits = u16::from(low) | (u16::from(high >> 6) << 8);
    (bits << 6).cast_signed() >> 6
}

fn four_bits(bits: u8) -> i8 {
    (bits << 4).cast_signed() >> 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signs_of_the_formats() {
        use AnalogFormat::{NoAnalog, OnesComplement, TwosComplement, Unsigned};
        assert_eq!(Unsigned.number(0xff), Some(255));
        assert_eq!(OnesComplement.number(0xff), Some(0));
        assert_eq!(OnesComplement.number(0x80), Some(-127));
        assert_eq!(TwosComplement.number(0x80), Some(-128));
        assert_eq!(TwosComplement.number(0xff), Some(-1));
        assert_eq!(NoAnalog.number(1), None);
    }

    #[test]
    fn m_and_b_are_signed_ten_bits() {
        let mut r = Reader::new(&[0xff, 0xc0, 0x00, 0x80, 0xa7, 0xd2]);
        let f = Factors::decode(&mut r).unwrap();
        assert_eq!((f.m, f.b, f.r_exp, f.b_exp), (-1, -512, -3, 2));
        assert_eq!((f.accuracy, f.accuracy_exp, f.direction), (0xa << 6, 1, 3));
        assert_eq!(f.encode(), [0xff, 0xc0, 0x00, 0x80, 0xa7, 0xd2]);
    }

    #[test]
    fn voltages_are_exact() {
        // A 12 V rail: M = 63, R exponent -3: raw 192 is 12.096 V.
        let f = Factors {
            m: 63,
            r_exp: -3,
            ..Factors::IDENTITY
        };
        let v = f.convert(192, AnalogFormat::Unsigned, Linearization::Linear);
        assert_eq!(v, Some(12.096));
    }

    #[test]
    fn every_linearization() {
        let two = |l: Linearization| Factors::IDENTITY.value(2, l);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        near(two(Linearization::Linear), 2.0);
        near(two(Linearization::Ln), std::f64::consts::LN_2);
        near(two(Linearization::Log10), 2f64.log10());
        near(two(Linearization::Log2), 1.0);
        near(two(Linearization::E), 2f64.exp());
        near(two(Linearization::Exp10), 100.0);
        near(two(Linearization::Exp2), 4.0);
        near(two(Linearization::Inverse), 0.5);
        near(two(Linearization::Square), 4.0);
        near(two(Linearization::Cube), 8.0);
        near(two(Linearization::Sqrt), std::f64::consts::SQRT_2);
        near(two(Linearization::CubeRoot), 2f64.cbrt());
        let zero = Factors::IDENTITY.convert(0, AnalogFormat::Unsigned, Linearization::Inverse);
        assert_eq!(zero, None, "1/0 is no reading");
    }

    proptest! {
        #[test]
        fn round_trip(bytes: [u8; 6]) {
            let f = Factors::decode(&mut Reader::new(&bytes)).unwrap();
            prop_assert_eq!(f.encode(), bytes);
        }

        #[test]
        fn raw_of_value(raw: u8, m in 1i16..512, b in -512i16..512, exp in -3i8..3, format in 0u8..3) {
            let f = Factors { m, b, r_exp: exp, ..Factors::IDENTITY };
            let format = AnalogFormat::from_bits(format);
            let value = f.convert(raw, format, Linearization::Linear).unwrap();
            let back = f.unconvert(value, format, Linearization::Linear).unwrap();
            prop_assert_eq!(format.number(back), format.number(raw));
        }
    }
}
