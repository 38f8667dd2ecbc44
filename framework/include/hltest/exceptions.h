#pragma once

#include <cstdint>
#include <optional>

#include <hltest/x86/address.h>
#include <hltest/x86/vector.h>

namespace hltest {

/// What a test expects of an exception: the vector, and of the rest what is given.
struct ExceptionPattern {
  Vector vector{};
  std::optional<std::uint32_t> error_code = std::nullopt;
  std::optional<Gva> address = std::nullopt;
  /// The selector in the error code, with its TI; the RPL does not count, as it is not there.
  std::optional<std::uint16_t> selector = std::nullopt;
};

/// An exception without an error code: `Raised(DivideError())`.
template <Vector kVector>
struct PlainException {
  // NOLINTNEXTLINE(google-explicit-constructor): `Raised` takes either
  constexpr operator ExceptionPattern() const { return {.vector = kVector}; }
};

/// One with an error code: `Raised(DoubleFault{.error_code = 0})`.
template <Vector kVector>
struct ExceptionWithErrorCode {
  std::optional<std::uint32_t> error_code = std::nullopt;
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr operator ExceptionPattern() const {
    return {.vector = kVector, .error_code = error_code};
  }
};

using DivideError = PlainException<Vector::kDivideError>;
using Debug = PlainException<Vector::kDebug>;
using Breakpoint = PlainException<Vector::kBreakpoint>;
using Overflow = PlainException<Vector::kOverflow>;
using BoundRangeExceeded = PlainException<Vector::kBoundRangeExceeded>;
using InvalidOpcode = PlainException<Vector::kInvalidOpcode>;
using DeviceNotAvailable = PlainException<Vector::kDeviceNotAvailable>;
using X87FloatingPoint = PlainException<Vector::kX87FloatingPoint>;
using SimdFloatingPoint = PlainException<Vector::kSimdFloatingPoint>;

/// One whose error code names a selector: `Raised(GeneralProtection{.selector = 0x18})`.
template <Vector kVector>
struct ExceptionWithSelector {
  std::optional<std::uint32_t> error_code = std::nullopt;
  std::optional<std::uint16_t> selector = std::nullopt;
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr operator ExceptionPattern() const {
    return {.vector = kVector, .error_code = error_code, .selector = selector};
  }
};

using DoubleFault = ExceptionWithErrorCode<Vector::kDoubleFault>;
using AlignmentCheck = ExceptionWithErrorCode<Vector::kAlignmentCheck>;

using InvalidTss = ExceptionWithSelector<Vector::kInvalidTss>;
using SegmentNotPresent = ExceptionWithSelector<Vector::kSegmentNotPresent>;
using StackFault = ExceptionWithSelector<Vector::kStackFault>;
using GeneralProtection = ExceptionWithSelector<Vector::kGeneralProtection>;

/// #PF: `Raised(PageFault{.address = Gva{0x400000}})`. The error code's bits are those of SDM
/// vol. 3, figure 4-12: P, W/R, U/S, RSVD, I/D.
struct PageFault {
  std::optional<Gva> address = std::nullopt;
  std::optional<std::uint32_t> error_code = std::nullopt;
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr operator ExceptionPattern() const {
    return {.vector = Vector::kPageFault, .error_code = error_code, .address = address};
  }
};

}  // namespace hltest
