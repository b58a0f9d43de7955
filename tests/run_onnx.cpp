// Predicts rows of numbers from the standard input with OpenCV's own reader of ONNX files: an implementation that has
// nothing to do with ours. A line of outputs for each row.
// Usage: run_onnx MODEL.onnx COLUMNS < ROWS
#include <cstdio>
#include <cstdlib>
#include <opencv2/dnn.hpp>
#include <vector>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  std::vector<float> x;
  for (double value; std::scanf("%lf", &value) == 1;) x.push_back((float)value);
  const int columns = std::atoi(argv[2]), rows = (int)x.size() / columns;
  cv::dnn::Net net = cv::dnn::readNetFromONNX(argv[1]);
  net.setInput(cv::Mat(rows, columns, CV_32F, x.data()));
  const cv::Mat y = net.forward();
  for (int i = 0; i < y.rows; i++) {
    for (int j = 0; j < y.cols; j++) std::printf(" %.9g", (double)y.at<float>(i, j));
    std::puts("");
  }
  return y.rows == rows ? 0 : 1;
}
