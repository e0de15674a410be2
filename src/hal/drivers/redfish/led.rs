//! The identify LED: `LocationIndicatorActive`, or the older `IndicatorLED`, on the system or on its chassis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{is_answer, may_try_another, reading, unsupported};
use crate::hal::caps::Led;
use crate::hal::drivers::power_watch::pause;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::{BoxFuture, Cx, LedState, Reading};
use crate::hal::redfish::{Client, LedStyle, Resource};

/// How often the state is read before a switch counts as without effect, a second apart.
const READS: u32 = 3;
const LOCATION: &str = "LocationIndicatorActive";
const INDICATOR: &str = "IndicatorLED";

/// The identify LED over Redfish.
pub(super) struct RedfishLed(pub(super) Arc<Client>);

/// A property that may be the LED.
#[derive(Debug, Clone)]
struct Place {
    of: Arc<Resource>,
    property: &'static str,
}

impl Place {
    fn at(&self) -> String {
        self.of.at(self.property)
    }
}

/// The LED property of a resource, where it has one that is not null.
fn place(of: &Arc<Resource>, property: &'static str) -> Option<Place> {
    let pointer = format!("/{property}");
    let usable = match property {
        LOCATION => of.bool(&pointer).is_some(),
        _ => of.str(&pointer).is_some(),
    };
    usable.then(|| Place {
        of: Arc::clone(of),
        property,
    })
}

impl RedfishLed {
    /// Where the LED may be, the best place first: LocationIndicatorActive before IndicatorLED, the system before the
    /// chassis. The chassis is only read where the system leaves it open, or `all` are wanted.
    async fn places(&self, cx: &Cx, all: bool) -> Result<Vec<Place>> {
        let style = self.0.quirks().led;
        let system = self.0.system(cx).await?;
        let location = style != LedStyle::Indicator;
        let indicator = style != LedStyle::Location;
        let mine = location.then(|| place(&system, LOCATION)).flatten();
        // A property that is there and null: the system has no LED of its own, its chassis may have.
        let elsewhere = location && system.has("/LocationIndicatorActive") && mine.is_none();
        let old = indicator.then(|| place(&system, INDICATOR)).flatten();
        if !all && (mine.is_some() || (old.is_some() && !elsewhere)) {
            return Ok(mine.or(old).into_iter().collect());
        }
        let chassis = match self.0.chassis(cx).await {
            Ok(chassis) => Some(chassis),
            Err(error) if is_answer(&error) => None,
            Err(error) => return Err(error),
        };
        let of_chassis = |property| chassis.as_ref().and_then(|c| place(c, property));
        let theirs = location.then(|| of_chassis(LOCATION)).flatten();
        let their_old = indicator.then(|| of_chassis(INDICATOR)).flatten();
        Ok([mine, theirs, old, their_old]
            .into_iter()
            .flatten()
            .collect())
    }

    fn meaning(&self, place: &Place, of: &Resource) -> LedState {
        let pointer = format!("/{}", place.property);
        if place.property == LOCATION {
            return match of.bool(&pointer) {
                Some(true) => LedState::On,
                Some(false) => LedState::Off,
                None => LedState::Unknown,
            };
        }
        match of.str(&pointer) {
            Some("Off") => LedState::Off,
            Some("Lit") if self.0.quirks().led_idle_lit => LedState::Off,
            Some("Lit" | "Blinking") => LedState::On,
            _ => LedState::Unknown,
        }
    }

    /// What is written to reach a state, the best value first.
    fn values(&self, place: &Place, on: bool) -> Vec<serde_json::Value> {
        if place.property == LOCATION {
            return vec![json!(on)];
        }
        let idle_lit = self.0.quirks().led_idle_lit;
        let ladder: &[&str] = match (on, idle_lit) {
            (true, false) => &["Blinking", "Lit"],
            (true, true) => &["Blinking"],
            (false, false) => &["Off"],
            (false, true) => &["Off", "Lit"],
        };
        let listed = place.of.allowable("/IndicatorLED");
        let can = |value: &&str| {
            listed
                .as_ref()
                .is_none_or(|l| l.iter().any(|v| v.eq_ignore_ascii_case(value)))
        };
        ladder
            .iter()
            .copied()
            .filter(can)
            .map(|v| json!(v))
            .collect()
    }

    async fn read(&self, cx: &Cx) -> Result<(LedState, String)> {
        let places = self.places(cx, false).await?;
        let place = places.first().ok_or_else(|| none("led.state"))?;
        Ok((self.meaning(place, &place.of), place.at()))
    }

    async fn switch(&self, cx: &Cx, on: bool) -> Result<(LedState, String)> {
        let mut first: Option<Error> = None;
        let mut tried: Vec<String> = Vec::new();
        for all in [false, true] {
            for place in self.places(cx, all).await? {
                if tried.contains(&place.at()) {
                    continue;
                }
                tried.push(place.at());
                for value in self.values(&place, on) {
                    match self.try_one(cx, &place, &value, on).await {
                        Ok(state) => return Ok((state, place.at())),
                        Err(error) if may_try_another(&error) => {
                            log::debug!("{} {value}: {}", place.at(), error.chain());
                            first.get_or_insert(error);
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Err(first.unwrap_or_else(|| none("led.set")))
    }

    async fn try_one(
        &self,
        cx: &Cx,
        place: &Place,
        value: &serde_json::Value,
        on: bool,
    ) -> Result<LedState> {
        let want = if on { LedState::On } else { LedState::Off };
        self.0
            .patch(cx, &place.of.path, json!({ place.property: value }))
            .await?;
        let mut rest = self.0.quirks().read_back_after;
        let mut state = LedState::Unknown;
        for _ in 0..READS {
            pause(cx, rest).await?;
            let now = self.0.fresh(cx, &place.of.path).await;
            let now = now.map_err(Error::after_acting)?;
            state = self.meaning(place, &now);
            if state == want || state == LedState::Unknown {
                return Ok(state);
            }
            rest = Duration::from_secs(1);
        }
        let what = format!("identify LED: the BMC accepted {want} but stays {state}");
        Err(Error::new(Kind::Refused, what))
    }
}

fn none(operation: &str) -> Error {
    unsupported(
        operation,
        format!("neither the system nor its chassis has {LOCATION} or {INDICATOR}"),
    )
}

impl Led for RedfishLed {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<LedState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let (state, at) = self.read(cx).await?;
            Ok(reading(&self.0, start, at, state))
        })
    }

    fn set<'a>(&'a self, cx: &'a Cx, on: bool) -> BoxFuture<'a, Result<Reading<LedState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let (state, at) = self.switch(cx, on).await?;
            Ok(reading(&self.0, start, at, state))
        })
    }
}

#[cfg(test)]
mod tests;
