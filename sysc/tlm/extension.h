#pragma once
#include <tlm>

namespace deltatwin {

/// An extension that lives on its initiator's stack: `struct X : StackExtension<X>`.
template <class Derived> struct StackExtension : tlm::tlm_extension<Derived> {
  void free() override {}
  [[nodiscard]] tlm::tlm_extension_base* clone() const override {
    return new Derived(static_cast<const Derived&>(*this));
  }
  void copy_from(const tlm::tlm_extension_base& other) override {
    static_cast<Derived&>(*this) = static_cast<const Derived&>(other);
  }
};

} // namespace deltatwin
