//! Sensor device commands (§35) and Platform Event Message (§29.3). Only what goes over the wire: conversion and
//! words are in [`sensor`](crate::hal::ipmi::sensor).

mod device_sdr;
mod event;
mod reading;
mod threshold;

pub use device_sdr::{DeviceSdrInfo, GetDeviceSdr, GetDeviceSdrInfo, ReserveDeviceSdrRepository};
pub use event::{
    GetSensorEventEnable, GetSensorEventStatus, PlatformEventMessage, SensorEventBits,
    SetSensorEventEnable,
};
pub use reading::{
    GetSensorReading, GetSensorReadingFactors, GetSensorType, SensorFactors, SensorReading,
    SensorTypeCodes,
};
pub use threshold::{
    GetSensorHysteresis, GetSensorThresholds, Hysteresis, RawThresholds, SetSensorHysteresis,
    SetSensorThresholds,
};

#[cfg(test)]
mod tests;
