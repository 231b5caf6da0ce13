#include <torch/library.h>
#include <ATen/ATen.h>
at::Tensor twice(const at::Tensor& x){ TORCH_CHECK(x.dim()>0, "no dims ", x.dim()); return at::empty_like(x).copy_(x).mul_(2) + at::zeros({1}, x.options()); }
TORCH_LIBRARY(linkprobe, m){ m.def("twice(Tensor x) -> Tensor"); m.impl("twice", c10::DispatchKey::CPU, &twice); }
